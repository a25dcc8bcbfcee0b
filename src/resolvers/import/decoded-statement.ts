// What a decoder of statement files hands to the rules that make business days of it: one statement of one account, its
// amounts exact, its balances as the bank states them.

import { StatementFault } from './errors.js';

export interface DecodedStatement {
  /** Where it begins in the file. */
  readonly line: number;
  /** The account's number, as `accountNumberOf` gives it. */
  readonly account: string;
  readonly currency: string;
  readonly entries: readonly DecodedEntry[];
  /** Entries that could not be read. */
  readonly faults: readonly EntryFault[];
  /** What it opens with, before its first entry. */
  readonly opening?: DecodedBalance;
  readonly closing?: DecodedBalance;
  /** First and last day of which it says that it has every entry. */
  readonly covers?: { readonly from: string; readonly to: string };
  /** The day that it was made on, whose entries may not be complete. */
  readonly madeOn?: string;
  /** Why none of its days can be closed, as a sentence. */
  readonly unfinished?: string;
}

/** Of one file: they are held in memory until its balances are checked, at about 1 KB each. */
export const MAX_ENTRIES = 500_000;

/** @throws {StatementFault} when a file has come to more entries than can be imported at once. */
export function requireEntries(count: number, line: number): void {
  if (count > MAX_ENTRIES) throw new StatementFault(line, `The file has more than ${MAX_ENTRIES} entries; split it.`);
}

export interface DecodedEntry {
  readonly line: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** Negative for a debit. */
  readonly minor: bigint;
  readonly description: string;
  readonly kind: string | null;
  /** The bank's own reference, where it gives one that tells entries apart. */
  readonly reference: string | undefined;
  /** What the bank lists beside it. */
  readonly balance: bigint | null;
}

export interface EntryFault {
  readonly line: number;
  readonly reason: string;
  /** The day that lacks the entry; undefined when that could not be read either. */
  readonly date: string | undefined;
}

export interface DecodedBalance {
  readonly line: number;
  readonly minor: bigint;
  readonly date: string;
}

/** What a decoder gives, in the order of the file. */
export type Decoded =
  | ({ readonly kind: 'statement' } & DecodedStatement)
  /** A record that is no entry, or a whole statement; `records` is how many entries went with it. */
  | { readonly kind: 'refused'; readonly line: number; readonly reason: string; readonly records?: number };

/**
 * An account's number for what a bank calls it: an IBAN without its blanks; else what are no letters, digits or `. _ -`
 * become hyphens. Undefined when nothing is left, or more than 64 characters.
 */
export function accountNumberOf(text: string): string | undefined {
  const compact = text.replaceAll(/\s+/g, '');
  if (/^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/i.test(compact)) return compact.toUpperCase();
  const number = text
    .trim()
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[._-]+|-+$/g, '');
  return number === '' || number.length > 64 ? undefined : number;
}

/** Whether a line of a statement lists a balance instead of moving one, as Brazilian banks put among the entries. */
export function isBalanceLine(description: string): boolean {
  return balanceLine.test(description.trim());
}

const balanceLine =
  /^(?:s ?a ?l ?d ?o(?: (?:anterior|inicial|final|atual|parcial|total|do dia|dia|em conta(?: corrente)?|dispon[ií]vel))?(?: (?:em|de|at[eé]))?[ \d/.:-]*|(?:opening|closing|beginning|ending) balance[ \d/.:-]*|balance (?:brought|carried) forward|(?:anfangs|end)saldo|saldo(?:vortrag|übertrag))$/i;
