// The formats of bank statements that can be imported, told by what a file holds. Another one is a decoder that gives
// statements (or a reader that gives records, as Berka's does), and a line in the list below.

import { readBerka } from './berka.js';
import { isBerkaHeader } from './berka-rows.js';
import { decodeCamt } from './camt.js';
import { decodeCsv } from './csv.js';
import { csvLayoutOf } from './csv-columns.js';
import type { Decoded } from './decoded-statement.js';
import { ImportFailed } from './errors.js';
import type { ImportError } from './import-report.js';
import type { KnownDays } from './known-days.js';
import type { Progress } from './lines.js';
import { decodeMt940 } from './mt940.js';
import { decodeOfx } from './ofx.js';
import { recordsOf } from './statement-days.js';
import type { StatementRecord } from './statement-record.js';
import { probeText, readText, type TextProbe } from './text-file.js';

export interface ReadOptions extends KnownDays {
  /** For files that name none; what was asked for, else the format's own if it has one. */
  readonly currency: string | undefined;
  /** The account's number, for files that name none. */
  readonly account: string | undefined;
  readonly knownAccounts: (number: string) => Promise<boolean>;
  /** Of the account, or of what it would be opened with. */
  readonly timeZoneOf: (number: string) => Promise<string>;
  readonly onProgress?: (progress: Progress) => void;
}

export interface StatementFormat {
  readonly name: string;
  /** For amounts and accounts whose file names none; without it such a file is refused. */
  readonly currency?: string;
  /** Of new accounts, unless another is asked for. */
  readonly timeZone: string;
  /** Whether a file that begins like this is of the format. */
  readonly recognises: (head: string) => boolean;
  readonly read: (files: readonly string[], options: ReadOptions) => AsyncIterable<StatementRecord>;
}

const formats: readonly StatementFormat[] = [
  {
    name: 'berka',
    currency: 'CZK',
    timeZone: 'Europe/Prague',
    recognises: (head) => isBerkaHeader(/^[^\r\n]{0,1000}/.exec(head)?.[0] ?? ''),
    read: (files, { currency, ...options }) =>
      readBerka(files, currency === undefined ? options : { ...options, currency }),
  },
  {
    name: 'ofx',
    timeZone: 'America/Sao_Paulo',
    recognises: (head) => /OFXHEADER|<OFX>/i.test(head),
    read: decodedBy((text, _, options) => decodeOfx(text, options)),
  },
  {
    name: 'camt',
    timeZone: 'Europe/Berlin',
    recognises: (head) => /xsd:camt\.05[234]|<(?:\w+:)?BkToCstmr/.test(head),
    read: decodedBy((text, _, options) => decodeCamt(text, options)),
  },
  {
    name: 'mt940',
    timeZone: 'Europe/Berlin',
    recognises: (head) => /^\s*(?:\{[1-4]:.*)?:(?:20|21|25P?|28C?|60[FM]|61|62[FM]|64|86|940):/m.test(head),
    read: decodedBy((text) => decodeMt940(text)),
  },
  {
    name: 'csv',
    timeZone: 'America/Sao_Paulo',
    recognises: (head) => !/^\s*[<{[]/.test(head) && csvLayoutOf(head.replace(/^\uFEFF/, '')) !== undefined,
    read: decodedBy((text, head, options) => decodeCsv(text, head, options)),
  },
];

export const statementFormatNames: readonly string[] = formats.map(({ name }) => name);

/** Files that one reader takes together. */
export interface FormatGroup {
  readonly format: StatementFormat;
  readonly files: readonly string[];
}

/**
 * The files by their format: all of format `name`, or each as its content says. What none recognises is refused.
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
    const probe = await probeText(file, true);
    const format = formats.find(({ recognises }) => recognises(probe.head));
    if (format) byFormat.set(format, [...(byFormat.get(format) ?? []), file]);
    else refused.push({ file, line: 1, reason: `${strangerIn(probe)}; the formats are: ${known}.` });
  }
  if (byFormat.size === 0) {
    const [only] = refused;
    const reason = refused.length === 1 ? only?.reason.split(';')[0] : undefined;
    throw new ImportFailed(
      `No file is a bank statement of a known format; the formats are: ${known}.${reason ? ` ${reason}.` : ''}`,
    );
  }
  return { groups: [...byFormat].map(([format, files]) => ({ format, files })), refused };
}

type Decode = (text: AsyncIterable<string>, head: string, options: ReadOptions) => AsyncIterable<Decoded>;

/** A reader that decodes one file after another, whatever its encoding. */
function decodedBy(decode: Decode): StatementFormat['read'] {
  return async function* read(files, options) {
    for (const file of files) {
      const probe = await probeText(file);
      if (probe.fault !== undefined) {
        yield { kind: 'refused', file, line: 0, reason: probe.fault };
        continue;
      }
      const text = readText(file, probe.encoding, options.onProgress ? { onProgress: options.onProgress } : {});
      yield* recordsOf(file, decode(text, probe.head, options), options);
    }
  };
}

/** What a file is that no format recognises. */
function strangerIn({ head, fault }: TextProbe): string {
  if (/^%PDF/.test(head))
    return 'The file is a PDF, which shows a statement but is no data; ask the bank for OFX or CSV';
  if (head.startsWith('PK\u0003\u0004')) return 'The file is an archive or a spreadsheet; unpack it or save it as CSV';
  if (fault !== undefined) return fault.replace(/[.;].*$/s, '');
  if (/^\d{3}0000[\s\d]/.test(head) && /^\S[^\r\n]{139,}/.test(head)) {
    return 'The file looks like CNAB, which reports collections and payments and is no statement';
  }
  if (/^\s*</.test(head)) return 'The file is XML or HTML, but neither OFX nor camt.053';
  return 'The file begins like no known format';
}
