// The version of every cached entry: what an import that changes nothing must not move.

import type { TestDatabase } from '../support/database.js';

/** How many entries there are, and a digest over all their versions. */
export async function versionsOf({ psql }: TestDatabase): Promise<{ entries: number; digest: string }> {
  const [row] = await psql<{ entries: number; digest: string }[]>`SELECT count(*)::int AS entries,
    coalesce(md5(string_agg(view || ' ' || key || ' ' || version || ' ' || deleted, ',' ORDER BY view, key)), '') AS digest
    FROM entry`;
  return row ?? { entries: 0, digest: '' };
}
