// One of the Berka files, line by line: what kind it is, and its rows below the header.
import { type BerkaKind, berkaKindOf } from './berka-rows.js';
import { type Progress, readLines } from './lines.js';
import type { StatementRecord } from './statement-record.js';

export type Probe = { readonly kind: BerkaKind; readonly file: string; readonly firstDate: string };
type FailedProbe = { readonly kind: 'refused'; readonly line: number; readonly reason: string };

/** What kind of file it is, and for transactions the date that they begin with as it is written. */
export async function probed(file: string): Promise<Probe | FailedProbe> {
  let kind: BerkaKind | undefined;
  for await (const entry of readLines(file)) {
    if (kind !== undefined) {
      const firstDate = (entry.kind === 'line' && entry.text.split(';')[2]) || '';
      return { kind, file, firstDate };
    }
    if (entry.kind === 'refused') return entry;
    const header = berkaKindOf(entry.text);
    if (header.kind === 'refused') return { ...header, line: 1 };
    kind = header.kind;
  }
  if (kind !== undefined) return { kind, file, firstDate: '' };
  return { kind: 'refused', line: 0, reason: 'The file is empty; check that it was fetched whole.' };
}

export type Refused = Extract<StatementRecord, { kind: 'refused' }>;

/** The rows below the header as `parse` reads them; it returns a row, or a sentence that refuses it. */
export async function* readRows<Row extends object>(
  file: string,
  parse: (text: string) => Row | string,
  { onProgress }: { readonly onProgress?: (progress: Progress) => void },
  onRefused?: (line: number, text: string) => void,
  onBroken?: (line: number) => void,
): AsyncGenerator<{ kind: 'row'; line: number; value: Row } | Refused> {
  for await (const entry of readLines(file, onProgress ? { onProgress } : {})) {
    if (entry.kind === 'refused') {
      if (entry.breaksOff) onBroken?.(entry.line);
      yield refused(file, entry.line, entry.reason);
    } else if (entry.line > 1 && entry.text.trim() !== '') {
      const value = parse(entry.text);
      if (typeof value === 'string') {
        onRefused?.(entry.line, entry.text);
        yield refused(file, entry.line, value);
      } else yield { kind: 'row', line: entry.line, value };
    }
  }
}

export function refused(file: string, line: number, reason: string): Refused {
  return { kind: 'refused', file, line, reason };
}
