// TTLs set at run time, which override those of the environment and the code on every gateway: the table and every
// statement on it. Deleting a row brings the view's former TTL back.
import { eq, sql } from 'drizzle-orm';
import { check, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

import type { Query, Tx } from './connection.js';

export const cachePolicies = pgTable(
  'cache_policies',
  {
    view: text().primaryKey(),
    ttlSeconds: integer('ttl_seconds').notNull(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [check('cache_policies_ttl', sql`${table.ttlSeconds} BETWEEN 1 AND 31536000`)],
);

/** A TTL set at run time, with the version of its root row. */
export interface CachePolicyRow {
  readonly view: string;
  readonly ttlSeconds: number;
  readonly version: string;
}

/** All TTLs set at run time. */
export function findCachePolicies(query: Query): Promise<readonly CachePolicyRow[]> {
  return query(sql`
    SELECT policy.view, policy.ttl_seconds AS "ttlSeconds", coalesce(e.version, 0)::text AS version
    FROM cache_policies AS policy LEFT JOIN entry AS e ON e.view = 'cache-policy' AND e.key = policy.view`);
}

/** Sets the view's TTL, and gives the one that was set before; a row that says the same already is left alone. */
export async function putCachePolicy(tx: Tx, view: string, ttlSeconds: number): Promise<number | undefined> {
  const [before] = await tx.select().from(cachePolicies).where(eq(cachePolicies.view, view));
  if (before?.ttlSeconds === ttlSeconds) return ttlSeconds;
  const set = { ttlSeconds, updatedAt: sql`now()` };
  await tx.insert(cachePolicies).values({ view, ttlSeconds }).onConflictDoUpdate({ target: cachePolicies.view, set });
  return before?.ttlSeconds;
}
