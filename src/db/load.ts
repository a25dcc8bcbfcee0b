// Loads entries for the cache: whatever a view shows, with its version and the snapshot that both were read in, by one
// statement for many keys.
import { type SQL, sql } from 'drizzle-orm';
import type { Query } from './connection.js';

/** One entry as SQL has it. The cache room declares the same shape. */
export interface LoadedEntry {
  readonly key: string;
  /** Version of the root row, in decimal; `0` where there is none. */
  readonly version: string;
  /** Unix milliseconds; 0 where there is no root row. */
  readonly changedAtMs: number;
  readonly snapshot: string;
  /** JSON text, or null. */
  readonly value: string | null;
  /** JSON texts in order, or null. */
  readonly members: readonly string[] | null;
}

/**
 * Every one of `keys` once. `body` selects `value` (text) and `members` (text[] or null) for `k.key`, and no row where
 * there is none.
 */
export async function loadEntries(
  query: Query,
  view: string,
  keys: readonly string[],
  body: SQL,
): Promise<LoadedEntry[]> {
  const rows = await query<Omit<LoadedEntry, 'changedAtMs'> & { changedAtMs: string }>(sql`
    SELECT k.key, coalesce(e.version, 0)::text AS version,
      coalesce(floor(extract(epoch FROM e.changed_at) * 1000), 0)::text AS "changedAtMs",
      pg_current_snapshot()::text AS snapshot, body.value, body.members
    FROM unnest(${sql.param([...keys])}::text[]) AS k (key)
    LEFT JOIN entry AS e ON e.view = ${view} AND e.key = k.key
    LEFT JOIN LATERAL (${body}) AS body ON true`);
  return rows.map((row) => ({ ...row, changedAtMs: Number(row.changedAtMs) }));
}

/** Live keys of a view in order, after `after`, as the change log knows them; at most `limit`. */
export async function findLiveKeys(
  query: Query,
  view: string,
  after: string | undefined,
  limit: number,
): Promise<readonly string[]> {
  const from = after === undefined ? sql`` : sql`AND key > ${after}`;
  const rows = await query<{ key: string }>(
    sql`SELECT key FROM entry WHERE view = ${view} AND NOT deleted ${from} ORDER BY key LIMIT ${limit}`,
  );
  return rows.map(({ key }) => key);
}

/** Live keys per view, as the change log knows them. */
export async function countLiveEntries(query: Query): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ view: string; count: string }>(
    sql`SELECT view, count(*)::text AS count FROM entry WHERE NOT deleted GROUP BY view`,
  );
  return new Map(rows.map(({ view, count }) => [view, Number(count)]));
}
