// The audit log: one row per mutation, written in the mutation's own transaction and never changed. Each bears a digest by
// the key of the connection that wrote it.
import { sql } from 'drizzle-orm';
import { bigserial, customType, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import { type Query, signerOf, type Tx } from './connection.js';
import { DatabaseUnavailable } from './errors.js';

/** What the audit log files changes under. */
export type ChangeDomain = 'MENU' | 'STATEMENT' | 'TOKEN' | 'FLAG' | 'SECURITY_VALUE' | 'CACHE_POLICY';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const changes = pgTable(
  'changes',
  {
    /** Random and chosen by the gateway: after a lost COMMIT its presence proves that the mutation happened. */
    id: uuid().primaryKey(),
    sequence: bigserial({ mode: 'bigint' }).notNull().unique(),
    at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    actor: text().notNull(),
    action: text().notNull(),
    domain: text().$type<ChangeDomain>().notNull(),
    key: text().notNull(),
    reason: text(),
    before: jsonb(),
    after: jsonb(),
    /** Null where whoever wrote it had no key. */
    tag: bytea(),
  },
  (table) => [
    index('changes_domain').on(table.domain, table.sequence),
    index('changes_key').on(table.key, table.sequence),
  ],
);

export type NewChange = Omit<typeof changes.$inferInsert, 'tag'>;

/** Adds one row to the audit log. */
export async function insertChange(tx: Tx, change: NewChange): Promise<void> {
  await insertChanges(tx, [change]);
}

/** Adds many rows to the audit log. */
export async function insertChanges(tx: Tx, rows: readonly NewChange[]): Promise<void> {
  if (rows.length === 0) return;
  const signer = signerOf(tx);
  await tx.insert(changes).values(rows.map((row) => ({ ...row, tag: signer?.changeTag(row) ?? null })));
}

/** A row of the audit log. */
export interface ChangeRow {
  readonly id: string;
  /** Its place in the log, in decimal. */
  readonly sequence: string;
  /** Unix milliseconds. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly domain: ChangeDomain;
  readonly key: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

const ROW = sql`id::text, sequence::text, floor(extract(epoch FROM at) * 1000)::text AS at, actor, action, domain, key,
  reason, before, after`;

/** Rows of the audit log, the newest first: of a domain, of a key, older than place `before`, each if given. */
export function findChanges(
  query: Query,
  { domain, key }: { readonly domain: ChangeDomain | undefined; readonly key: string | undefined },
  before: string | undefined,
  limit: number,
): Promise<readonly ChangeRow[]> {
  const conditions = [
    sql`true`,
    ...(domain === undefined ? [] : [sql`domain = ${domain}`]),
    ...(key === undefined ? [] : [sql`key = ${key}`]),
    ...(before === undefined ? [] : [sql`sequence < ${before}::bigint`]),
  ];
  return query(sql`SELECT ${ROW} FROM changes WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY changes.sequence DESC LIMIT ${limit}`);
}

/** The rows with these ids, in any order. */
export function findChangesById(query: Query, ids: readonly string[]): Promise<readonly ChangeRow[]> {
  return query(sql`SELECT ${ROW} FROM changes WHERE id = ANY (${sql.param([...ids])}::uuid[])`);
}

/**
 * What became of a transaction whose COMMIT was never answered. Waits until `deadlineMs` (Unix milliseconds) while it is in
 * progress; then its audit row tells, because Postgres may reuse the transaction id after a crash but nobody reuses `id`.
 * @throws {DatabaseUnavailable} when it cannot be told by then.
 */
export async function outcomeOf(
  query: Query,
  xid: string,
  id: string,
  deadlineMs: number,
): Promise<'committed' | 'aborted'> {
  for (;;) {
    // After a crash the id may lie in the future, of which Postgres refuses to tell the status. A fresh id tells.
    const [look] = await query<{ inProgress: boolean; written: boolean }>(sql`
      SELECT EXISTS (SELECT FROM changes WHERE id = ${id}::uuid) AS written,
        CASE WHEN ${xid}::xid8 < pg_current_xact_id()
          THEN pg_xact_status(${xid}::xid8) = 'in progress' ELSE false END AS "inProgress"`);
    if (look?.written) return 'committed';
    if (look && !look.inProgress) return (await isWritten(query, id)) ? 'committed' : 'aborted';
    if (Date.now() > deadlineMs) throw new DatabaseUnavailable('The transaction is still in progress.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In a statement of its own: the one that saw the transaction ended may have begun before its end. */
async function isWritten(query: Query, id: string): Promise<boolean> {
  const rows = await query(sql`SELECT FROM changes WHERE id = ${id}::uuid`);
  return rows.length > 0;
}
