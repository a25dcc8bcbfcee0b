// When flags were last evaluated: every statement on the notes that gateways leave, apart from the flags themselves.
import { sql } from 'drizzle-orm';

import type { Query } from './connection.js';

export interface FlagUse {
  readonly environment: string;
  readonly key: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** Notes evaluations; an older moment than the one noted is ignored, and so is a flag that is gone. */
export async function noteFlagUses(query: Query, uses: readonly FlagUse[]): Promise<void> {
  await query(sql`
    INSERT INTO flag_uses AS noted (environment, key, last_evaluated_at)
    SELECT flag.environment, flag.key, to_timestamp(given.at_ms / 1000.0)
    FROM unnest(${sql.param(uses.map(({ environment }) => environment))}::text[],
      ${sql.param(uses.map(({ key }) => key))}::text[], ${sql.param(uses.map(({ atMs }) => atMs))}::float8[])
      AS given (environment, key, at_ms)
    JOIN flags AS flag ON flag.environment = given.environment AND flag.key = given.key
    ORDER BY flag.environment, flag.key
    ON CONFLICT (environment, key) DO UPDATE
      SET last_evaluated_at = greatest(noted.last_evaluated_at, excluded.last_evaluated_at)`);
}

export interface UnusedFlag {
  readonly key: string;
  /** Unix milliseconds; null where it has never been evaluated. */
  readonly evaluatedAtMs: number | null;
  /** Since when nobody has evaluated it, in microseconds. */
  readonly sinceUs: string;
}

/** Live flags that nobody has evaluated since `beforeMs` (Unix milliseconds), the longest unused first; at most `limit`. */
export async function findUnusedFlags(
  query: Query,
  environment: string,
  beforeMs: number,
  after: Pick<UnusedFlag, 'key' | 'sinceUs'> | undefined,
  limit: number,
): Promise<readonly UnusedFlag[]> {
  const rest = after ? sql`AND (since, key COLLATE "C") > (${after.sinceUs}::bigint, ${after.key})` : sql``;
  const rows = await query<Omit<UnusedFlag, 'evaluatedAtMs'> & { evaluatedAtMs: string | null }>(sql`
    SELECT key, since::text AS "sinceUs", "evaluatedAtMs" FROM (
      SELECT flag.key, floor(extract(epoch FROM used.last_evaluated_at) * 1000)::text AS "evaluatedAtMs",
        floor(extract(epoch FROM coalesce(used.last_evaluated_at, flag.created_at)) * 1000000)::bigint AS since
      FROM flags AS flag LEFT JOIN flag_uses AS used ON used.environment = flag.environment AND used.key = flag.key
      WHERE flag.environment = ${environment} AND flag.archived_at IS NULL) AS unused
    WHERE since < ${String(beforeMs)}::bigint * 1000 ${rest} ORDER BY since, key COLLATE "C" LIMIT ${limit}`);
  return rows.map((row) => ({ ...row, evaluatedAtMs: row.evaluatedAtMs === null ? null : Number(row.evaluatedAtMs) }));
}
