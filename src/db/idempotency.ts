// Idempotency keys and the answers that they stand for: the table and every statement on it. A key is claimed in the
// transaction of its mutation, so that it exists exactly if the mutation happened.
import { sql } from 'drizzle-orm';
import { index, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** Keyed digest of the caller, the action and the key. */
    id: text().primaryKey(),
    /** Keyed digest of the input. */
    input: text().notNull(),
    /** What the mutation answered, without secrets; null only inside the transaction that claimed the key. */
    answer: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [index('idempotency_keys_created').on(table.createdAt)],
);

/** How long a key stands for its first answer. */
const LIFE = sql`interval '24 hours'`;

export type Claim =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'known'; readonly input: string; readonly answer: string };

/**
 * Claims the key `id` for this transaction, or finds what stands under it. Waits while another transaction that has
 * claimed it is in progress. What is older than a day counts for nothing.
 */
export async function claimKey(tx: Tx, id: string, input: string): Promise<Claim> {
  const query = txQuery(tx);
  const claimed = await query(sql`
    INSERT INTO idempotency_keys AS standing (id, input) VALUES (${id}, ${input})
    ON CONFLICT (id) DO UPDATE SET input = excluded.input, answer = NULL, created_at = now()
      WHERE standing.created_at <= now() - ${LIFE}
    RETURNING true`);
  if (claimed.length > 0) return { kind: 'claimed' };
  // A statement of its own: it sees what was committed while the one before waited.
  const [known] = await query<{ input: string; answer: string | null }>(
    sql`SELECT input, answer FROM idempotency_keys WHERE id = ${id}`,
  );
  if (!known || known.answer === null) throw new Error('An idempotency key stands without its answer.');
  return { kind: 'known', input: known.input, answer: known.answer };
}

/** Puts the answer under a key that this transaction has claimed. */
export async function keepAnswer(tx: Tx, id: string, answer: string): Promise<void> {
  await txQuery(tx)(sql`UPDATE idempotency_keys SET answer = ${answer} WHERE id = ${id}`);
}

/** Deletes up to `limit` keys that stand for nothing any more, and says how many. */
export async function deleteExpiredKeys(query: Query, limit: number): Promise<number> {
  const deleted = await query(sql`
    DELETE FROM idempotency_keys WHERE id IN (
      SELECT id FROM idempotency_keys WHERE created_at <= now() - ${LIFE} LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING true`);
  return deleted.length;
}
