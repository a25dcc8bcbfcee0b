// Statements that imports need: many accounts, days and transactions at a time, in one SQL statement each, so that the
// triggers of a table run once for thousands of rows.
import { and, eq, inArray, sql } from 'drizzle-orm';
import { type AccountRow, accounts, type BusinessDay } from './bank-statement.js';
import type { Db, Tx } from './connection.js';
import { menus } from './menu.js';

/** What a new account is made of; the database gives it an id. */
export type NewAccount = Pick<AccountRow, 'number' | 'holder' | 'currency' | 'timeZone' | 'opening'>;

/** A transaction as it stands in a day. */
export interface ImportedTransaction {
  readonly externalId: string;
  /** Minor units, negative for a debit. */
  readonly minor: bigint;
  readonly description: string;
  readonly kind: string | null;
  readonly balance: bigint | null;
}

/** The latest revision of a day with its transactions in order. */
export interface ImportedDay extends BusinessDay {
  readonly transactions: readonly ImportedTransaction[];
}

export interface DayKey {
  readonly accountId: string;
  readonly date: string;
}

/** A transaction and the place where it is, or is to be, booked. */
export interface PlacedTransaction extends ImportedTransaction, DayKey {
  readonly revision: number;
  /** 1-based within the day. */
  readonly position: number;
}

/** The accounts among `numbers`, by number; an unknown one yields none. */
export async function findAccountsByNumber(tx: Tx, numbers: readonly string[]): Promise<Map<string, AccountRow>> {
  const rows = await tx
    .select()
    .from(accounts)
    .where(inArray(accounts.number, [...numbers]));
  return new Map(rows.map((row) => [row.number, row]));
}

/** Makes accounts and gives their ids by number. */
export async function insertAccounts(tx: Tx, made: readonly NewAccount[]): Promise<Map<string, string>> {
  const rows = await tx.execute<{ id: string; number: string }>(sql`
    INSERT INTO accounts (number, holder, currency, time_zone, opening)
    SELECT "number", "holder", "currency", "timeZone", "opening"
    FROM json_to_recordset(${jsonOf(made)}::json)
      AS given ("number" text, "holder" text, "currency" text, "timeZone" text, "opening" bigint)
    RETURNING id::text, number`);
  return new Map(rows.map(({ id, number }) => [number, id]));
}

/** The latest revisions of the days among `keys`, in any order, with their transactions. */
export async function findDaysWithTransactions(tx: Tx, keys: readonly DayKey[]): Promise<ImportedDay[]> {
  const rows = await tx.execute<StoredDay>(sql`
    SELECT day.account_id::text AS "accountId", to_char(day.date, 'YYYY-MM-DD') AS date, day.revision, day.status,
      day.opening::text, day.credits::text, day.debits::text, day.closing::text, day.count,
      day.stated_closing::text AS "statedClosing", (
        SELECT coalesce(json_agg(json_build_array(line.external_id, line.minor::text, line.description, line.kind,
          line.balance::text) ORDER BY line.position), '[]')::text
        FROM transactions AS line
        WHERE line.account_id = day.account_id AND line.date = day.date AND line.revision = day.revision) AS lines
    FROM ${givenDays(keys)}
    CROSS JOIN LATERAL (SELECT * FROM business_days AS stored
      WHERE stored.account_id = given."accountId" AND stored.date = given."date"
      ORDER BY stored.revision DESC LIMIT 1) AS day`);
  return rows.map(dayOf);
}

/** A transaction that stands on another date than the one it was asked for. */
export interface BookedElsewhere extends DayKey {
  readonly externalId: string;
  readonly minor: bigint;
  readonly description: string;
}

/** Those of `keys` that their account has booked on another date; what a revision left out is not booked. */
export async function findBookedElsewhere(
  tx: Tx,
  keys: readonly (DayKey & { readonly externalId: string })[],
): Promise<readonly BookedElsewhere[]> {
  const rows = await tx.execute<{
    accountId: string;
    date: string;
    externalId: string;
    minor: string;
    description: string;
  }>(sql`
    SELECT line.account_id::text AS "accountId", line.external_id AS "externalId",
      to_char(line.date, 'YYYY-MM-DD') AS date, line.minor::text, line.description
    FROM json_to_recordset(${jsonOf(keys)}::json) AS given ("accountId" uuid, "externalId" text, "date" date)
    JOIN transactions AS line ON line.account_id = given."accountId" AND line.external_id = given."externalId"
    WHERE line.date <> given."date" AND line.revision = (SELECT max(day.revision) FROM business_days AS day
      WHERE day.account_id = line.account_id AND day.date = line.date)`);
  return rows.map((row) => ({ ...row, minor: BigInt(row.minor) }));
}

/** Writes days, whether they are new or changed. */
export async function putDays(tx: Tx, days: readonly BusinessDay[]): Promise<void> {
  if (days.length === 0) return;
  await tx.execute(sql`
    INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count, stated_closing)
    SELECT "accountId", "date", "revision", "status", "opening", "credits", "debits", "closing", "count", "statedClosing"
    FROM json_to_recordset(${jsonOf(days)}::json) AS given ("accountId" uuid, "date" date, "revision" int, "status" text,
      "opening" bigint, "credits" bigint, "debits" bigint, "closing" bigint, "count" int, "statedClosing" bigint)
    ON CONFLICT (account_id, date, revision) DO UPDATE SET status = excluded.status, opening = excluded.opening,
      credits = excluded.credits, debits = excluded.debits, closing = excluded.closing, count = excluded.count,
      stated_closing = excluded.stated_closing`);
}

/** Books transactions at their places, which must be free. */
export async function insertTransactions(tx: Tx, lines: readonly PlacedTransaction[]): Promise<void> {
  if (lines.length === 0) return;
  await tx.execute(sql`
    INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description, kind, balance)
    SELECT "accountId", "date", "revision", "position", "externalId", "minor", "description", "kind", "balance"
    FROM json_to_recordset(${jsonOf(lines)}::json) AS given ("accountId" uuid, "date" date, "revision" int,
      "position" int, "externalId" text, "minor" bigint, "description" text, "kind" text, "balance" bigint)`);
}

/**
 * What the account opens `date` with: what its last day before that closed with, as the bank states it, and before its
 * first day its own opening. Undefined when there is no such account.
 */
export async function findOpeningOf(db: Db, number: string, date: string): Promise<bigint | undefined> {
  const [row] = await db.execute<{ opening: string }>(sql`
    SELECT coalesce((
      SELECT coalesce(day.stated_closing, day.closing) FROM business_days AS day
      WHERE day.account_id = account.id AND day.date < ${date}::date
      ORDER BY day.date DESC, day.revision DESC LIMIT 1), account.opening)::text AS opening
    FROM accounts AS account WHERE account.number = ${number}`);
  return row && BigInt(row.opening);
}

/** Whether there is an account of this number. */
export async function hasAccount(db: Db, number: string): Promise<boolean> {
  const rows = await db.select({ id: accounts.id }).from(accounts).where(eq(accounts.number, number));
  return rows.length > 0;
}

/** The title of a menu; undefined when there is no such menu. */
export async function findMenuTitle(tx: Tx, key: string, locale: string): Promise<string | undefined> {
  const where = and(eq(menus.key, key), eq(menus.locale, locale));
  const [found] = await tx.select({ title: menus.title }).from(menus).where(where);
  return found?.title;
}

type StoredDay = Omit<BusinessDay, Amounts> &
  Record<Exclude<Amounts, 'statedClosing'> | 'lines', string> & { statedClosing: string | null };
type Amounts = 'opening' | 'credits' | 'debits' | 'closing' | 'statedClosing';
type StoredLine = readonly [string, string, string, string | null, string | null];

function dayOf({ opening, credits, debits, closing, statedClosing, lines, ...day }: StoredDay): ImportedDay {
  return {
    ...day,
    opening: BigInt(opening),
    credits: BigInt(credits),
    debits: BigInt(debits),
    closing: BigInt(closing),
    statedClosing: statedClosing === null ? null : BigInt(statedClosing),
    transactions: (JSON.parse(lines) as StoredLine[]).map(([externalId, minor, description, kind, balance]) => ({
      externalId,
      minor: BigInt(minor),
      description,
      kind,
      balance: balance === null ? null : BigInt(balance),
    })),
  };
}

function givenDays(keys: readonly DayKey[]) {
  return sql`json_to_recordset(${jsonOf(keys)}::json) AS given ("accountId" uuid, "date" date)`;
}

/** JSON with 64-bit integers as strings, which `json_to_recordset` reads back exactly. */
function jsonOf(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
