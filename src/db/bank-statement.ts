// Accounts, their business days and the transactions booked on them: the tables and the statements on them, but for those on single days.
import { and, eq, inArray, sql } from 'drizzle-orm';
import {
  bigint,
  check,
  date,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

import type { Query, Tx } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';

export const accounts = pgTable('accounts', {
  id: uuid().primaryKey().defaultRandom(),
  number: text().notNull().unique(),
  /** The subject whose tokens may read the account. */
  holder: text().notNull(),
  currency: text().notNull(),
  timeZone: text('time_zone').notNull(),
  /** Balance before the first business day, in minor units. */
  opening: bigint({ mode: 'bigint' }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export const businessDays = pgTable(
  'business_days',
  {
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'restrict' }),
    date: date().notNull(),
    /** 1 at first; restating a closed day makes the next one. */
    revision: integer().notNull(),
    status: text({ enum: ['OPEN', 'CLOSED', 'RESTATED'] }).notNull(),
    opening: bigint({ mode: 'bigint' }).notNull(),
    credits: bigint({ mode: 'bigint' }).notNull(),
    /** A positive total. */
    debits: bigint({ mode: 'bigint' }).notNull(),
    closing: bigint({ mode: 'bigint' }).notNull(),
    count: integer().notNull(),
    /** The balance that the bank's file lists for the end of an open day that does not add up. */
    statedClosing: bigint('stated_closing', { mode: 'bigint' }),
  },
  (table) => [
    primaryKey({ columns: [table.accountId, table.date, table.revision] }),
    check('business_days_balance', sql`${table.opening} + ${table.credits} - ${table.debits} = ${table.closing}`),
  ],
);

export const transactions = pgTable(
  'transactions',
  {
    id: uuid().primaryKey().defaultRandom(),
    accountId: uuid('account_id').notNull(),
    date: date().notNull(),
    revision: integer().notNull(),
    /** 1-based within the day. */
    position: integer().notNull(),
    externalId: text('external_id').notNull(),
    /** Negative for a debit. */
    minor: bigint({ mode: 'bigint' }).notNull(),
    description: text().notNull(),
    kind: text(),
    balance: bigint({ mode: 'bigint' }),
  },
  (table) => [
    foreignKey({
      name: 'transactions_day',
      columns: [table.accountId, table.date, table.revision],
      foreignColumns: [businessDays.accountId, businessDays.date, businessDays.revision],
    }).onDelete('cascade'),
    unique('transactions_position').on(table.accountId, table.date, table.revision, table.position),
    unique('transactions_external').on(table.accountId, table.date, table.revision, table.externalId),
    index('transactions_external_id').on(table.accountId, table.externalId),
  ],
);

/** Accounts by number: `{number, holder, currency, timeZone, latestBusinessDate}`. */
export function loadAccounts(query: Query, numbers: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'account',
    numbers,
    sql`SELECT json_build_object('number', account.number, 'holder', account.holder, 'currency', account.currency,
          'timeZone', account.time_zone, 'latestBusinessDate', (SELECT max(day.date) FROM business_days AS day
            WHERE day.account_id = account.id AND day.status <> 'OPEN'))::text AS value, NULL::text[] AS members
        FROM accounts AS account WHERE account.number = k.key`,
  );
}

/** Statements by `number/date`, of the latest revision. Amounts are minor units, as decimal strings. */
export function loadStatements(query: Query, keys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'statement',
    keys,
    sql`SELECT json_build_object('account', account.number, 'currency', account.currency, 'date', day.date,
          'status', day.status, 'revision', day.revision, 'opening', day.opening::text, 'credits', day.credits::text,
          'debits', day.debits::text, 'closing', day.closing::text, 'count', day.count)::text AS value,
          NULL::text[] AS members
        FROM accounts AS account JOIN business_days AS day ON day.account_id = account.id
        WHERE account.number = regexp_replace(k.key, '/[^/]*$', '')
          AND day.date = substring(k.key FROM '[^/]*$')::date
        ORDER BY day.revision DESC LIMIT 1`,
  );
}

/**
 * Transactions of a day in order, by `number/date:revision`. Amounts are minor units, as decimal strings.
 * The limit changes no answer: it keeps the look-up apart, or row-level security would have Postgres read all accounts
 * before it takes a key to pieces.
 */
export function loadStatementLines(query: Query, keys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'statement-lines',
    keys,
    sql`SELECT '{}' AS value, (SELECT coalesce(array_agg(json_build_object('externalId', line.external_id,
            'position', line.position, 'minor', line.minor::text, 'balance', line.balance::text,
            'description', line.description, 'kind', line.kind)::text ORDER BY line.position), '{}')
          FROM transactions AS line
          WHERE line.account_id = day.account_id AND line.date = day.date AND line.revision = day.revision) AS members
        FROM accounts AS account JOIN business_days AS day ON day.account_id = account.id
        WHERE account.number = regexp_replace(k.key, '/[^/]*$', '')
          AND day.date = substring(k.key FROM '/([^/:]*):[^:]*$')::date
          AND day.revision = substring(k.key FROM '[^:]*$')::int
        LIMIT 1`,
  );
}

export type BusinessDay = typeof businessDays.$inferSelect;
export type AccountRow = typeof accounts.$inferSelect;

export interface NewTransaction {
  readonly externalId: string;
  readonly minor: bigint;
  readonly description: string;
  readonly kind: string | null;
  readonly balance: bigint | null;
}

/** Numbers of accounts in order, after `after`; of one holder if given; at most `limit`. */
export async function findAccountNumbers(
  query: Query,
  holder: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  const rows = await query<{ number: string }>(sql`SELECT number FROM accounts
    WHERE (${holder ?? null}::text IS NULL OR holder = ${holder ?? null}) AND number > ${after ?? ''}
    ORDER BY number LIMIT ${limit}`);
  return rows.map(({ number }) => number);
}

export interface TransactionRow {
  readonly date: string;
  readonly revision: number;
  readonly position: number;
  readonly externalId: string;
  readonly minor: string;
  readonly balance: string | null;
  readonly description: string;
  readonly kind: string | null;
}

/** Transactions of an account between two dates, both inclusive, latest revisions only, in order; open days if asked for. */
export async function findTransactions(
  query: Query,
  range: {
    readonly number: string;
    /** Whose account it must be, if given. */
    readonly holder: string | undefined;
    readonly from: string;
    readonly to: string;
    readonly open: boolean;
  },
  after: { readonly date: string; readonly position: number } | undefined,
  limit: number,
): Promise<readonly TransactionRow[]> {
  const rest = after ? sql`AND (line.date, line.position) > (${after.date}::date, ${after.position}::int)` : sql``;
  return query<TransactionRow>(sql`
    SELECT to_char(line.date, 'YYYY-MM-DD') AS date, line.revision, line.position, line.external_id AS "externalId",
      line.minor::text, line.balance::text, line.description, line.kind
    FROM accounts AS account
    JOIN business_days AS day ON day.account_id = account.id
    JOIN transactions AS line ON line.account_id = day.account_id AND line.date = day.date AND line.revision = day.revision
    WHERE account.number = ${range.number} AND account.holder = coalesce(${range.holder ?? null}::text, account.holder)
      AND line.date BETWEEN ${range.from}::date AND ${range.to}::date
      AND (${range.open}::boolean OR day.status <> 'OPEN')
      AND day.revision = (SELECT max(revision) FROM business_days AS latest
        WHERE latest.account_id = day.account_id AND latest.date = day.date)
      ${rest}
    ORDER BY line.date, line.position LIMIT ${limit}`);
}

export async function findAccount(tx: Tx, number: string): Promise<AccountRow | undefined> {
  const [found] = await tx.select().from(accounts).where(eq(accounts.number, number));
  return found;
}

/** False when the number is taken; nothing is written then. */
export async function insertAccount(tx: Tx, account: typeof accounts.$inferInsert): Promise<boolean> {
  const made = await tx.insert(accounts).values(account).onConflictDoNothing().returning({ id: accounts.id });
  return made.length === 1;
}

/** Those of `externalIds` that the account has booked, with the day they stand on; what a revision left out is not. */
export async function findBooked(tx: Tx, accountId: string, externalIds: readonly string[]) {
  if (externalIds.length === 0) return [];
  const isLatest = sql`${transactions.revision} = (SELECT max(day.revision) FROM business_days AS day
    WHERE day.account_id = ${transactions.accountId} AND day.date = ${transactions.date})`;
  const where = and(
    eq(transactions.accountId, accountId),
    inArray(transactions.externalId, [...externalIds]),
    isLatest,
  );
  return tx.select().from(transactions).where(where);
}

/** Appends transactions to a day, after position `count`. */
export async function appendTransactions(
  tx: Tx,
  day: Pick<BusinessDay, 'accountId' | 'date' | 'revision' | 'count'>,
  lines: readonly NewTransaction[],
): Promise<void> {
  const { accountId, date, revision, count } = day;
  if (lines.length === 0) return;
  await tx
    .insert(transactions)
    .values(lines.map((line, at) => ({ ...line, accountId, date, revision, position: count + at + 1 })));
}
