// Single business days, and those after a day: what closes there, and how a changed balance is carried on to them.
import { and, desc, eq, gt, lt, ne, sql } from 'drizzle-orm';
import { type BusinessDay, businessDays } from './bank-statement.js';
import type { Tx } from './connection.js';

/** The latest revision of a day. */
export async function findDay(tx: Tx, accountId: string, date: string): Promise<BusinessDay | undefined> {
  const where = and(eq(businessDays.accountId, accountId), eq(businessDays.date, date));
  const [found] = await tx.select().from(businessDays).where(where).orderBy(desc(businessDays.revision)).limit(1);
  return found;
}

/** The latest revision of the last day before `date`. */
export async function findDayBefore(tx: Tx, accountId: string, date: string): Promise<BusinessDay | undefined> {
  const where = and(eq(businessDays.accountId, accountId), lt(businessDays.date, date));
  const [found] = await tx
    .select()
    .from(businessDays)
    .where(where)
    .orderBy(desc(businessDays.date), desc(businessDays.revision))
    .limit(1);
  return found;
}

/** Writes a day, whether it is new or changed. */
export async function putDay(tx: Tx, day: BusinessDay): Promise<void> {
  const { accountId, date, revision, ...rest } = day;
  await tx
    .insert(businessDays)
    .values({ accountId, date, revision, ...rest })
    .onConflictDoUpdate({ target: [businessDays.accountId, businessDays.date, businessDays.revision], set: rest });
}

/** The first closed day after `date`. */
export async function findClosedDayAfter(tx: Tx, accountId: string, date: string): Promise<BusinessDay | undefined> {
  const where = and(
    eq(businessDays.accountId, accountId),
    gt(businessDays.date, date),
    ne(businessDays.status, 'OPEN'),
  );
  const [found] = await tx
    .select()
    .from(businessDays)
    .where(where)
    .orderBy(businessDays.date, desc(businessDays.revision))
    .limit(1);
  return found;
}

/**
 * Carries a changed balance on to the open days that follow: up to the first closed day, whose opening is fixed, and to
 * the first day whose closing the bank has listed, from which the next one opens.
 */
export async function shiftOpenDaysAfter(
  tx: Tx,
  day: Pick<BusinessDay, 'accountId' | 'date'>,
  minor: bigint,
): Promise<void> {
  if (minor === 0n) return;
  const after = sql`account_id = ${day.accountId} AND date > ${day.date}`;
  await tx.execute(sql`
    UPDATE business_days SET opening = opening + ${minor}::bigint, closing = closing + ${minor}::bigint
    WHERE ${after} AND status = 'OPEN'
      AND date < coalesce((SELECT min(date) FROM business_days WHERE ${after} AND status <> 'OPEN'), 'infinity')
      AND date <= coalesce((SELECT min(date) FROM business_days WHERE ${after} AND stated_closing IS NOT NULL), 'infinity')`);
}

/** The latest revisions of all days after `date`, in order. */
export async function findDaysAfter(tx: Tx, accountId: string, date: string): Promise<BusinessDay[]> {
  return tx
    .selectDistinctOn([businessDays.date])
    .from(businessDays)
    .where(and(eq(businessDays.accountId, accountId), gt(businessDays.date, date)))
    .orderBy(businessDays.date, desc(businessDays.revision));
}

/**
 * Lets each of `days`, of one account and in their latest revisions, open and close with `minor` more: an open day by
 * itself, a closed one as a new revision with the same transactions.
 */
export async function restateShifted(
  tx: Tx,
  accountId: string,
  days: readonly BusinessDay[],
  minor: bigint,
): Promise<void> {
  const given = (isOpen: boolean) => {
    const some = days.filter(({ status }) => (status === 'OPEN') === isOpen);
    const [dates, revisions] = [some.map(({ date }) => date), some.map(({ revision }) => String(revision))];
    return sql`unnest(${sql.param(dates)}::text[]::date[], ${sql.param(revisions)}::text[]::int[]) AS given (date, revision)`;
  };
  await tx.execute(sql`
    UPDATE business_days AS day SET opening = opening + ${minor}::bigint, closing = closing + ${minor}::bigint
    FROM ${given(true)}
    WHERE day.account_id = ${accountId} AND day.date = given.date AND day.revision = given.revision`);
  await tx.execute(sql`
    INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
    SELECT account_id, date, revision + 1, 'RESTATED', opening + ${minor}::bigint, credits, debits,
      closing + ${minor}::bigint, count
    FROM business_days JOIN ${given(false)} USING (date, revision) WHERE account_id = ${accountId}`);
  await tx.execute(sql`
    INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description, kind, balance)
    SELECT account_id, date, revision + 1, position, external_id, minor, description, kind, balance
    FROM transactions JOIN ${given(false)} USING (date, revision) WHERE account_id = ${accountId}`);
}
