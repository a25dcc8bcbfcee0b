// Entries of a statement as transactions of business days: each with an id that another file with the same entry gives
// it too, and none of them guessed at.

import { createHash } from 'node:crypto';
import type { DecodedEntry } from './decoded-statement.js';
import type { DayRecord, DayVerdict, StatementTransaction } from './statement-record.js';
import { plainText } from './text-file.js';

/** The entries of one date. */
export interface EntryDay {
  readonly date: string;
  readonly entries: readonly DecodedEntry[];
  /** Credits less debits. */
  readonly sum: bigint;
}

/** Entries that bear the same reference and content: perhaps one entry listed twice, so neither can be booked. */
export interface Doubled {
  readonly line: number;
  readonly date: string;
  readonly reason: string;
}

/** The entries by date, ascending; those of one date in the order of the file. */
export function byDate(entries: readonly DecodedEntry[]): EntryDay[] {
  const dates = new Map<string, DecodedEntry[]>();
  for (const entry of entries) {
    const same = dates.get(entry.date);
    if (same) same.push(entry);
    else dates.set(entry.date, [entry]);
  }
  return [...dates]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, same]) => ({ date, entries: same, sum: sumOf(same) }));
}

export function sumOf(entries: readonly { readonly minor: bigint }[]): bigint {
  return entries.reduce((sum, { minor }) => sum + minor, 0n);
}

/** The first entries that repeat another one of the account in reference and content alike. */
export function doubledIn(days: readonly EntryDay[]): Doubled[] {
  const seen = new Map<string, number>();
  return days.flatMap(({ date, entries }) =>
    entries.flatMap((entry) => {
      const reference = referenceOf(entry);
      if (reference === undefined) return [];
      const key = JSON.stringify([reference, contentOf(entry)]);
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, entry.line);
        return [];
      }
      const reason = `The entry ${reference} stands on line ${first} already with the same content; whether it is one or two cannot be told.`;
      return [{ line: entry.line, date, reason }];
    }),
  );
}

/**
 * The transactions of an account's days, by date. An id is the bank's reference; of several entries with one reference
 * the later ones add their date and number. Without a reference it is a digest of the content, numbered within the day.
 */
export function withIds(days: readonly EntryDay[]): Map<string, StatementTransaction[]> {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  const free = (base: string, dated: string): string => {
    let id = taken.has(base) ? dated : base;
    while (taken.has(id)) {
      const count = (counts.get(dated) ?? 1) + 1;
      counts.set(dated, count);
      id = `${dated}.${count}`;
    }
    taken.add(id);
    return id;
  };
  const placed = new Map<string, StatementTransaction[]>();
  for (const { date, entries } of days) {
    placed.set(
      date,
      entries.map((entry) => {
        const reference = referenceOf(entry);
        const base = reference ?? `${date}.${createHash('sha256').update(contentOf(entry)).digest('hex').slice(0, 16)}`;
        const dated = base.startsWith(date) ? base : `${base}@${date}`;
        const externalId = free(base, dated);
        const { line, minor, description, kind, balance } = entry;
        return { line, externalId, minor, description, kind, balance };
      }),
    );
  }
  return placed;
}

/** The day's record; `opening` is what it opens with, and a day whose balance the bank does not state has none. */
export function dayRecord(
  place: { readonly file: string; readonly line: number; readonly account: string; readonly currency: string },
  date: string,
  transactions: readonly StatementTransaction[],
  opening: bigint,
  verdict: DayVerdict,
  note?: string,
): DayRecord {
  let credits = 0n;
  let debits = 0n;
  for (const { minor } of transactions) {
    if (minor < 0n) debits -= minor;
    else credits += minor;
  }
  const closing = opening + credits - debits;
  const statedClosing = verdict.status === 'CLOSED' ? closing : null;
  const line = transactions[0]?.line ?? place.line;
  const noted = note === undefined ? {} : { note };
  return {
    kind: 'day',
    ...place,
    line,
    date,
    transactions,
    opening,
    credits,
    debits,
    closing,
    statedClosing,
    ...verdict,
    ...noted,
  };
}

/** A reference of blanks, zeros or more characters than an id has is none. */
function referenceOf({ reference }: DecodedEntry): string | undefined {
  const text = plainText(reference ?? '', 1_000);
  return /^[\s0.-]*$/.test(text) || text.length > 200 ? undefined : text;
}

function contentOf({ date, minor, description, kind }: DecodedEntry): string {
  return JSON.stringify([date, String(minor), description, kind]);
}
