// What a reader of bank statements hands on, whatever format it reads: accounts, whole days, and what it refused.

import type { ImportError } from './import-report.js';

export type StatementRecord = AccountRecord | DayRecord | RefusedRecord;

export interface RefusedRecord extends ImportError {
  readonly kind: 'refused';
  /** How many records of the file are refused for the reason; 1 unless given. */
  readonly records?: number;
}

export interface AccountRecord {
  readonly kind: 'account';
  readonly file: string;
  readonly line: number;
  readonly number: string;
  /** Null where the format names none: whoever holds the account, or of a new one whom the import names. */
  readonly holder: string | null;
  readonly currency: string;
  readonly opening: bigint;
}

/** All of one account's transactions of one date. The days of one account come in the order of their dates. */
export type DayRecord = DayTotals &
  DayVerdict & {
    readonly kind: 'day';
    /** Where the day's first row stands. */
    readonly file: string;
    readonly line: number;
    /** The account's number. */
    readonly account: string;
    readonly currency: string;
    /** `YYYY-MM-DD`. */
    readonly date: string;
    readonly transactions: readonly StatementTransaction[];
    /** What the report should say of a day although it can be closed. */
    readonly note?: string;
  };

/** Minor units; `closing` is always `opening + credits - debits`, and both totals are positive. */
export interface DayTotals {
  readonly opening: bigint;
  readonly credits: bigint;
  readonly debits: bigint;
  readonly closing: bigint;
  /** What the bank says the day closed with, if it does; the next day opens with it. Equal to `closing` when CLOSED. */
  readonly statedClosing: bigint | null;
}

/**
 * Whether the bank's own figures bear the day out; if not, it stays OPEN and `reason` is for the report. A day that
 * lacks a refused row stays OPEN even if the rest of it adds up: the row may be mended and come later.
 */
export type DayVerdict =
  | { readonly status: 'CLOSED' }
  | { readonly status: 'OPEN'; readonly because: 'unbalanced' | 'incomplete'; readonly reason: string };

/** A line of a statement. Its place in the day is its place in `transactions`; its `externalId` is unique there. */
export interface StatementTransaction {
  /** Of the file. */
  readonly line: number;
  readonly externalId: string;
  /** Minor units, negative for a debit. */
  readonly minor: bigint;
  readonly description: string;
  readonly kind: string | null;
  /** What the bank lists beside the transaction, if it does; not in booking order within the day. */
  readonly balance: bigint | null;
}
