// Stale flags: those that nobody evaluates any more, so that somebody may take them away.
import { findUnusedFlags } from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { Invalid } from './errors.js';
import { type Flag, flagsByKey } from './flag.js';
import type { Maybe, PageArgs } from './input.js';

export interface StaleFlag {
  readonly flag: Flag;
  /** Null where it has never been evaluated, since it was made or counting began. */
  readonly lastEvaluatedAt: Date | null;
}

const DEFAULT_DAYS = 30;
const MAX_DAYS = 3_650;
const DAY_MS = 86_400_000;

/** Live flags that nobody has evaluated for `days`, on any gateway, the longest unused first. An evaluation counts within a minute. */
export async function listStaleFlags(
  ctx: Context,
  { environment, days, first, after }: PageArgs & { environment: string; days?: Maybe<number> },
): Promise<Connection<StaleFlag>> {
  const { query, cursorKey, now } = ctx.services;
  const size = pageSize(first);
  const wanted = days ?? DEFAULT_DAYS;
  if (wanted < 1 || wanted > MAX_DAYS) {
    throw new Invalid(`days must be from 1 to ${MAX_DAYS}, not ${wanted}.`, { path: ['days'] });
  }
  const question = ['stale-flags', environment, wanted];
  const [sinceUs, key] = after ? openCursor(cursorKey, question, after) : [];
  const from = sinceUs === undefined ? undefined : { sinceUs: String(sinceUs), key: String(key) };
  const beforeMs = now() - wanted * DAY_MS;
  const found = await ctx.cache.bypassing('flags', `${environment} unused`, () =>
    findUnusedFlags(query, environment, beforeMs, from, size + 1),
  );
  const page = found.slice(0, size);
  const flags = await flagsByKey(
    ctx,
    environment,
    page.map((unused) => unused.key),
  );
  const edges = page.flatMap((unused) => {
    const flag = flags.get(unused.key);
    const lastEvaluatedAt = unused.evaluatedAtMs === null ? null : new Date(unused.evaluatedAtMs);
    return flag ? [new KeysetEdge({ flag, lastEvaluatedAt }, cursorKey, question, [unused.sinceUs, unused.key])] : [];
  });
  return connectionOf(edges, found.length > size, after);
}
