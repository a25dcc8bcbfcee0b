// Writing accounts and their days: opening, posting, closing. A closed day is immutable, and its balances add up
// exactly: opening + credits − debits = closing.
import { rootOf } from '../cache/index.js';
import {
  type AccountRow,
  appendTransactions,
  type BusinessDay,
  findBooked,
  findClosedDayAfter,
  findDay,
  insertAccount,
  type NewTransaction,
  putDay,
  type Tx,
} from '../db/index.js';
import { type Account, accountView, MAX_NUMBER } from './bank-statement.js';
import { requireDate, requireTimeZone, todayIn } from './business-date.js';
import type { Context } from './context.js';
import { Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';
import { formatDecimal, isCurrency } from './money.js';
import { carryOn, openingOf, planOf, requireAccountRow, requireStatement } from './posting-day.js';
import { requireAmount, requireLines, requireText, type TransactionInput, totalsOf } from './posting-input.js';
import { type WriteOptions, write } from './write.js';

export interface OpenAccountInput {
  readonly number: string;
  readonly holder: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly opening?: Maybe<bigint>;
}

/** Opens an account with the balance that it has before its first business day. */
export async function openAccount(ctx: Context, input: OpenAccountInput, options?: Maybe<WriteOptions>) {
  const number = requireText(input.number, 1, MAX_NUMBER, ['number']);
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(number)) {
    throw new Invalid('An account number has letters, digits and . _ - only.', { path: ['number'] });
  }
  if (!isCurrency(input.currency)) {
    throw new Invalid(
      `${JSON.stringify(input.currency.slice(0, 10))} is no ISO 4217 currency; write one such as BRL.`,
      {
        path: ['currency'],
      },
    );
  }
  const account = {
    number,
    holder: requireText(input.holder, 1, 200, ['holder']),
    currency: input.currency,
    timeZone: requireTimeZone(input.timeZone, ['timeZone']),
    opening: requireAmount(input.opening ?? 0n, ['opening']),
  };
  const plan = {
    action: 'openAccount',
    domain: 'STATEMENT' as const,
    key: number,
    roots: [rootOf(accountView, number)] as const,
    options,
  };
  const { receipt } = await write(ctx, plan, async (tx) => {
    if (!(await insertAccount(tx, account))) {
      throw new Invalid(`Account ${number} is open already.`, { path: ['number'] });
    }
    return { result: undefined, after: { ...account, opening: String(account.opening) } };
  });
  return { receipt, account: await requireAccount(ctx, number) };
}

/** Books transactions on an open day, all or none; those that are booked there already, unchanged, count as such. */
export async function postTransactions(
  ctx: Context,
  args: { account: string; date: string; lines: readonly TransactionInput[] },
  options?: Maybe<WriteOptions>,
) {
  const date = requireDate(args.date, ['date']);
  const lines = requireLines(args.lines);
  const { result, receipt } = await write(ctx, planOf('postTransactions', args.account, date, options), async (tx) => {
    const account = await requireAccountRow(tx, args.account);
    const day = (await findDay(tx, account.id, date)) ?? (await newDay(ctx, tx, account, date));
    if (day.status !== 'OPEN') {
      throw new Invalid(`${date} is closed; a closed day changes only by being restated.`, { path: ['date'] });
    }
    const fresh = await unbookedOf(tx, account, date, lines);
    if (fresh.length > 0) await book(tx, day, fresh);
    const posted = fresh.length;
    return {
      result: { posted, unchanged: lines.length - posted },
      after: { posted, unchanged: lines.length - posted },
    };
  });
  return { receipt, statement: await requireStatement(ctx, args.account, date), ...result };
}

/**
 * Closes a day: from then on it is immutable and, being the latest, what statement shows by default. Its opening is the
 * closing of the day before; `closing`, where given, must be what the transactions add up to.
 */
export async function closeBusinessDay(
  ctx: Context,
  args: { account: string; date: string; closing?: Maybe<bigint> },
  options?: Maybe<WriteOptions>,
) {
  const date = requireDate(args.date, ['date']);
  const { receipt } = await write(ctx, planOf('closeBusinessDay', args.account, date, options), async (tx) => {
    const account = await requireAccountRow(tx, args.account);
    const before = await findDay(tx, account.id, date);
    const day = before ?? (await newDay(ctx, tx, account, date));
    if (day.status !== 'OPEN') throw new Invalid(`${date} is closed already.`, { path: ['date'] });
    const opening = await openingOf(tx, account, date);
    const closing = requireAmount(opening + day.credits - day.debits, ['closing']);
    await requireClosing(tx, account, date, closing, args.closing ?? closing);
    await putDay(tx, { ...day, opening, closing, status: 'CLOSED', statedClosing: null });
    await carryOn(tx, day, closing - (day.statedClosing ?? day.closing));
    return {
      result: undefined,
      before: { status: before?.status ?? null },
      after: { status: 'CLOSED', closing: String(closing) },
    };
  });
  return { receipt, statement: await requireStatement(ctx, args.account, date) };
}

/** An open day without transactions, not written yet. */
async function newDay(ctx: Context, tx: Tx, account: AccountRow, date: string): Promise<BusinessDay> {
  const today = todayIn(account.timeZone, ctx.services.now());
  if (date > today) {
    throw new Invalid(`${date} has not begun yet: in ${account.timeZone} it is ${today}.`, { path: ['date'] });
  }
  const later = await findClosedDayAfter(tx, account.id, date);
  if (later) {
    throw new Invalid(
      `${date} lies before ${later.date}, which is closed; a day cannot be put in before a closed one.`,
      {
        path: ['date'],
      },
    );
  }
  const opening = await openingOf(tx, account, date);
  return {
    accountId: account.id,
    date,
    revision: 1,
    status: 'OPEN',
    opening,
    credits: 0n,
    debits: 0n,
    closing: opening,
    count: 0,
    statedClosing: null,
  };
}

async function book(tx: Tx, day: BusinessDay, lines: readonly NewTransaction[]): Promise<void> {
  const added = totalsOf(lines);
  const [credits, debits] = [day.credits + added.credits, day.debits + added.debits];
  for (const total of [credits, debits, day.opening + credits]) requireAmount(total, ['lines']);
  const closing = requireAmount(day.opening + credits - debits, ['lines']);
  await putDay(tx, { ...day, credits, debits, closing, count: day.count + lines.length });
  await appendTransactions(tx, day, lines);
  if (day.statedClosing === null) await carryOn(tx, day, closing - day.closing);
}

/** The lines that are not booked yet. */
async function unbookedOf(
  tx: Tx,
  account: AccountRow,
  date: string,
  lines: readonly TransactionInput[],
): Promise<NewTransaction[]> {
  const booked = new Map(
    (
      await findBooked(
        tx,
        account.id,
        lines.map(({ externalId }) => externalId),
      )
    ).map((row) => [row.externalId, row]),
  );
  return lines.flatMap((line, at) => {
    const there = booked.get(line.externalId);
    const kind = line.kind ?? null;
    if (!there)
      return [{ externalId: line.externalId, minor: line.minor, description: line.description, kind, balance: null }];
    const same = there.minor === line.minor && there.description === line.description && there.kind === kind;
    if (same && there.date === date) return [];
    throw new Invalid(
      `Transaction ${JSON.stringify(line.externalId)} is booked on ${there.date} already, with ${same ? 'that date' : 'other content'}.`,
      { path: ['lines', String(at), 'externalId'] },
    );
  });
}

async function requireClosing(
  tx: Tx,
  account: AccountRow,
  date: string,
  closing: bigint,
  stated: bigint,
): Promise<void> {
  const money = (minor: bigint) => `${formatDecimal(minor, account.currency)} ${account.currency}`;
  if (stated !== closing) {
    throw new Invalid(`The day adds up to ${money(closing)}, not ${money(stated)}; post what is missing first.`, {
      path: ['closing'],
    });
  }
  const next = await findClosedDayAfter(tx, account.id, date);
  if (next && next.opening !== closing) {
    throw new Invalid(
      `The day adds up to ${money(closing)}, but ${next.date}, which is closed, opened at ${money(next.opening)}.`,
      {
        path: ['date'],
      },
    );
  }
}

/** What was just written, whoever may read it: the caller wrote it. */
async function requireAccount(ctx: Context, number: string): Promise<Account> {
  const account = await ctx.cache.read(accountView, number);
  if (account.kind === 'absent') throw new NotFound(`Account ${number} was deleted in the meantime.`);
  return account;
}
