// Restating a closed day: its transactions are given anew as its next revision, and the one before stays in the database
// as it was. What the day closes with then is what the next one opens with, and so on.
import {
  appendTransactions,
  type BusinessDay,
  findBooked,
  findDay,
  findDaysAfter,
  putDay,
  restateShifted,
  type Tx,
} from '../db/index.js';
import { requireDate } from './business-date.js';
import type { Context } from './context.js';
import { Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';
import { inRange, planOf, requireAccountRow, requireStatement } from './posting-day.js';
import { requireAmount, requireRestatedLines, type TransactionInput, totalsOf } from './posting-input.js';
import { type WriteOptions, write } from './write.js';

/** So many closed days may follow a day whose closing changes: a year and some, which one transaction can copy. */
const MAX_CARRIED_DAYS = 400;

/**
 * Gives a closed day other transactions: `lines` are all that it has from then on, none perhaps. Its opening stays. Where
 * its closing changes, the days after it that opened with that are carried on, closed ones as revisions of their own.
 */
export async function restateBusinessDay(
  ctx: Context,
  args: { account: string; date: string; lines: readonly TransactionInput[] },
  options?: Maybe<WriteOptions>,
) {
  const date = requireDate(args.date, ['date']);
  const lines = requireRestatedLines(args.lines);
  const { receipt } = await write(ctx, planOf('restateBusinessDay', args.account, date, options), async (tx) => {
    const account = await requireAccountRow(tx, args.account);
    const day = await findDay(tx, account.id, date);
    if (!day) {
      throw new NotFound(`Account ${account.number} has no day ${date}; postTransactions books on a new one.`, {
        path: ['date'],
      });
    }
    if (day.status === 'OPEN') {
      throw new Invalid(`${date} is open: post what is missing, then close it.`, { path: ['date'] });
    }
    await requireNotElsewhere(tx, day, lines);
    const restated = restatedDay(day, lines);
    await putDay(tx, restated);
    await appendTransactions(
      tx,
      { ...restated, count: 0 },
      lines.map((line) => ({ ...line, kind: line.kind ?? null, balance: null })),
    );
    const carried = await carryOnFrom(tx, day, restated.closing - day.closing);
    return { result: undefined, before: factsOf(day), after: { ...factsOf(restated), carriedOn: carried } };
  });
  return { receipt, statement: await requireStatement(ctx, args.account, date) };
}

function restatedDay(day: BusinessDay, lines: readonly TransactionInput[]): BusinessDay {
  const { credits, debits } = totalsOf(lines);
  for (const total of [credits, debits, day.opening + credits]) requireAmount(total, ['lines']);
  const closing = requireAmount(day.opening + credits - debits, ['lines']);
  const { revision, ...rest } = day;
  return {
    ...rest,
    revision: revision + 1,
    status: 'RESTATED',
    credits,
    debits,
    closing,
    count: lines.length,
    statedClosing: null,
  };
}

/** @throws {Invalid} at a transaction that stands on another day of the account. */
async function requireNotElsewhere(tx: Tx, day: BusinessDay, lines: readonly TransactionInput[]): Promise<void> {
  const ids = lines.map(({ externalId }) => externalId);
  const elsewhere = (await findBooked(tx, day.accountId, ids)).find(({ date }) => date !== day.date);
  if (!elsewhere) return;
  throw new Invalid(`Transaction ${JSON.stringify(elsewhere.externalId)} is booked on ${elsewhere.date} already.`, {
    path: ['lines', String(ids.indexOf(elsewhere.externalId)), 'externalId'],
  });
}

/**
 * Carries a change of `minor` in what `day` closed with on to the days after it, as far as each opened with what the one
 * before closed with. Gives how many closed days that made revisions of.
 */
async function carryOnFrom(tx: Tx, day: BusinessDay, minor: bigint): Promise<number> {
  if (minor === 0n) return 0;
  const later = await findDaysAfter(tx, day.accountId, day.date);
  let closing = day.closing;
  const carried: BusinessDay[] = [];
  for (const next of later) {
    if (next.opening !== closing) break;
    carried.push(next);
    // The bank has listed what this one closes with, and the next one opens with that.
    if (next.statedClosing !== null) break;
    closing = next.closing;
  }
  const closed = carried.filter(({ status }) => status !== 'OPEN');
  if (closed.length > MAX_CARRIED_DAYS) {
    throw new Invalid(
      `${closed.length} closed days follow whose balances would change, and ${MAX_CARRIED_DAYS} are the most that can be restated at once: book the difference on an open day.`,
      { path: ['lines'] },
    );
  }
  await inRange(restateShifted(tx, day.accountId, carried, minor));
  return closed.length;
}

const factsOf = ({ revision, status, closing, count }: BusinessDay) => ({
  revision,
  status,
  closing: String(closing),
  count,
});
