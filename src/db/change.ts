// The audit log: one row per mutation, written in the mutation's own transaction.
import { sql } from 'drizzle-orm';
import { bigserial, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import type { Query, Tx } from './connection.js';

export const changes = pgTable(
  'changes',
  {
    /** Random and chosen by the gateway: after a lost COMMIT its presence proves that the mutation happened. */
    id: uuid().primaryKey(),
    sequence: bigserial({ mode: 'bigint' }).notNull().unique(),
    at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    actor: text().notNull(),
    action: text().notNull(),
    domain: text().notNull(),
    key: text().notNull(),
    reason: text(),
    before: jsonb(),
    after: jsonb(),
  },
  (table) => [index('changes_domain_key').on(table.domain, table.key, table.sequence)],
);

export type NewChange = typeof changes.$inferInsert;

/** Adds one row to the audit log. */
export async function insertChange(tx: Tx, change: NewChange): Promise<void> {
  await tx.insert(changes).values(change);
}

/**
 * What became of a transaction whose COMMIT was never answered. Waits while it is in progress; then its audit row
 * tells, because Postgres may reuse the transaction id after a crash but nobody reuses `id`.
 */
export async function outcomeOf(query: Query, xid: string, id: string): Promise<'committed' | 'aborted'> {
  for (;;) {
    const [status] = await query<{ status: string | null }>(sql`SELECT pg_xact_status(${xid}::xid8) AS status`);
    if (status?.status !== 'in progress') break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const rows = await query(sql`SELECT FROM changes WHERE id = ${id}::uuid`);
  return rows.length > 0 ? 'committed' : 'aborted';
}
