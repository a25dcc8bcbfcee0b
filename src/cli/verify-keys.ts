// The keys that a view may hold entries under: all that the change log ever heard of, deleted ones included, since an
// entry that outlives its row is what a comparison is to find.

import { sql } from 'drizzle-orm';
import type { Query } from '../db/index.js';

/** Keys of a view in order, in pages of `size`. */
export async function* knownKeys(
  query: Query,
  view: string,
  size: number,
): AsyncGenerator<readonly string[], void, void> {
  let after: string | undefined;
  do {
    const from = after === undefined ? sql`` : sql`AND key > ${after}`;
    const rows = await query<{ key: string }>(
      sql`SELECT key FROM entry WHERE view = ${view} ${from} ORDER BY key LIMIT ${size}`,
    );
    if (rows.length > 0) yield rows.map(({ key }) => key);
    after = rows.length < size ? undefined : rows.at(-1)?.key;
  } while (after !== undefined);
}

/** How many keys these are. */
export async function countKnownKeys(query: Query, view: string): Promise<number> {
  const [row] = await query<{ count: string }>(sql`SELECT count(*)::text AS count FROM entry WHERE view = ${view}`);
  return Number(row?.count ?? 0);
}
