// The cache as operators see it.
import type { CacheStatus, EntryFacts } from '../cache/index.js';
import { printedKey } from '../cache/index.js';
import { countLiveEntries } from '../db/index.js';
import { requireView } from './cache-policy.js';
import type { Context } from './context.js';

export interface InspectedEntry extends EntryFacts {
  readonly view: string;
  /** As it may be shown. */
  readonly key: string;
}

/** Counters since this gateway started, and whether its store is trusted now. */
export const readCacheStatus = (ctx: Context): CacheStatus => ctx.services.cache.status();

/**
 * What stands in one entry, without changing it; null while the store is not trusted.
 * @throws {Invalid} when no view has this name.
 */
export async function inspectEntry(ctx: Context, view: string, key: string): Promise<InspectedEntry | null> {
  const printed = printedKey(requireView(ctx, view), key);
  const facts = await ctx.services.cache.inspect(view, key);
  return facts ? { ...facts, view, key: printed } : null;
}

/** How many live keys each view has in SQL, and so could have in the store. */
export const countEntries = (ctx: Context): Promise<ReadonlyMap<string, number>> =>
  countLiveEntries(ctx.services.query);
