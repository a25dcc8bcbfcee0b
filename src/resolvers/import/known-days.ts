// What a reader of statements may ask of the days that stand outside its file.

import { formatDecimal } from '../money.js';

export interface EarlierDay {
  readonly date: string;
  /** As the bank states it, where the day does not add up to that. */
  readonly closing: bigint;
  readonly status: 'OPEN' | 'CLOSED' | 'RESTATED';
}

/** What is known of accounts outside the file. */
export interface KnownDays {
  /** What an account opens `date` with, by its days before that; 0 if it has none. */
  readonly openingOf: (number: string, date: string) => Promise<bigint>;
  /** The account's last day before `date`, and what it closed with. */
  readonly dayBefore: (number: string, date: string) => Promise<EarlierDay | undefined>;
  /** The day that it is for the account. */
  readonly todayOf: (number: string) => Promise<string>;
}

/** A sentence when an account's last day before `date` is closed, and not with what `date` opens with. */
export async function gapBefore(
  account: string,
  currency: string,
  date: string,
  opening: bigint,
  known: KnownDays,
): Promise<string | undefined> {
  const before = await known.dayBefore(account, date);
  if (before === undefined || before.status === 'OPEN' || before.closing === opening) return undefined;
  const [opens, closed] = [opening, before.closing].map((minor) => formatDecimal(minor, currency));
  return `The day opens with ${opens}, but ${before.date}, the account's last day before it, closed with ${closed}; a statement between them may be missing.`;
}
