// The formats of bank statements that can be imported. Another one is a reader that gives the same records, and a line
// in the list below.

import { readBerka } from './berka.js';
import { isBerkaHeader } from './berka-rows.js';
import { ImportFailed } from './errors.js';
import type { ImportError } from './import-report.js';
import { type Progress, readLines } from './lines.js';
import type { StatementRecord } from './statement-record.js';

export interface ReadOptions {
  readonly currency: string;
  readonly knownAccounts: (number: string) => Promise<boolean>;
  /** What an account opens `date` with, by its days before that. */
  readonly openingOf: (number: string, date: string) => Promise<bigint>;
  readonly onProgress?: (progress: Progress) => void;
}

export interface StatementFormat {
  readonly name: string;
  /** For amounts and accounts whose file names none. */
  readonly currency: string;
  readonly timeZone: string;
  /** Whether a file that begins with this line is of the format. */
  readonly recognises: (firstLine: string) => boolean;
  readonly read: (files: readonly string[], options: ReadOptions) => AsyncIterable<StatementRecord>;
}

const formats: readonly StatementFormat[] = [
  { name: 'berka', currency: 'CZK', timeZone: 'Europe/Prague', recognises: isBerkaHeader, read: readBerka },
];

export const statementFormatNames: readonly string[] = formats.map(({ name }) => name);

/** Files that one reader takes together. */
export interface FormatGroup {
  readonly format: StatementFormat;
  readonly files: readonly string[];
}

/**
 * The files by their format: all of format `name`, or each as its first line says. What none recognises is refused.
 * @throws {ImportFailed} when there is no format `name`, or not one file has a known format.
 */
export async function groupByFormat(
  files: readonly string[],
  name?: string,
): Promise<{ groups: FormatGroup[]; refused: ImportError[] }> {
  const known = statementFormatNames.join(', ');
  if (name !== undefined) {
    const format = formats.find((each) => each.name === name);
    if (!format) throw new ImportFailed(`There is no statement format "${name}"; the formats are: ${known}.`);
    return { groups: [{ format, files }], refused: [] };
  }
  const byFormat = new Map<StatementFormat, string[]>();
  const refused: ImportError[] = [];
  for (const file of files) {
    const line = await firstLineOf(file);
    const format = line === undefined ? undefined : formats.find(({ recognises }) => recognises(line));
    if (format) byFormat.set(format, [...(byFormat.get(format) ?? []), file]);
    else {
      const what = line === undefined ? 'The file is empty or no text' : 'The first line is of no known format';
      refused.push({ file, line: 1, reason: `${what}; the formats are: ${known}.` });
    }
  }
  if (byFormat.size === 0) {
    throw new ImportFailed(`No file is a bank statement of a known format; the formats are: ${known}.`);
  }
  return { groups: [...byFormat].map(([format, files]) => ({ format, files })), refused };
}

async function firstLineOf(file: string): Promise<string | undefined> {
  for await (const entry of readLines(file)) return entry.kind === 'line' ? entry.text : undefined;
  return undefined;
}
