// What the mutations of business days have in common: their roots, their account, what a day opens with, and what a
// changed balance does to the open days after it.
import { rootOf } from '../cache/index.js';
import {
  type AccountRow,
  type BusinessDay,
  DatabaseError,
  findAccount,
  findDayBefore,
  shiftOpenDaysAfter,
  type Tx,
  withoutParameters,
} from '../db/index.js';
import { accountView, isAskable, type Statement, statementKey, statementView } from './bank-statement.js';
import type { Context } from './context.js';
import { Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';
import type { WriteOptions } from './write.js';

/** SQLSTATE numeric_value_out_of_range. */
const OUT_OF_RANGE = '22003';

/** The account's root comes with the day's: the day's opening depends on the days before, which other writers may close. */
export function planOf(action: string, number: string, date: string, options: Maybe<WriteOptions>) {
  if (!isAskable(number)) throw noAccount(number);
  return {
    action,
    domain: 'STATEMENT' as const,
    key: statementKey(number, date),
    roots: [rootOf(statementView, statementKey(number, date)), rootOf(accountView, number)] as const,
    options,
  };
}

/** The balance at the end of the day before, as the bank lists it where it does not add up, or the account's own opening. */
export async function openingOf(tx: Tx, account: AccountRow, date: string): Promise<bigint> {
  const before = await findDayBefore(tx, account.id, date);
  return before ? (before.statedClosing ?? before.closing) : account.opening;
}

/** Carries a changed balance on to the open days after `day`. */
export async function carryOn(tx: Tx, day: BusinessDay, minor: bigint): Promise<void> {
  await inRange(shiftOpenDaysAfter(tx, day, minor));
}

/** What became of later days. @throws {Invalid} when the balance of one would not fit into 64 bits. */
export async function inRange<Result>(carrying: Promise<Result>): Promise<Result> {
  try {
    return await carrying;
  } catch (thrown) {
    const error = withoutParameters(thrown);
    if (!(error instanceof DatabaseError) || error.state !== OUT_OF_RANGE) throw error;
    throw new Invalid('The balance of a day after this one would not fit into 64 bits.', { path: ['lines'] });
  }
}

const noAccount = (number: string) =>
  new NotFound(`There is no account ${JSON.stringify(number.slice(0, 64))}; openAccount opens one.`, {
    path: ['account'],
  });

export async function requireAccountRow(tx: Tx, number: string): Promise<AccountRow> {
  const account = await findAccount(tx, number);
  if (!account) throw noAccount(number);
  return account;
}

/** What was just written, whoever may read it: the caller wrote it. */
export async function requireStatement(ctx: Context, number: string, date: string): Promise<Statement> {
  const statement = await ctx.cache.read(statementView, statementKey(number, date));
  if (statement.kind === 'absent') throw new NotFound(`The day ${date} was deleted in the meantime.`);
  return statement;
}
