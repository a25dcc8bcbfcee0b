// Operators' hand on the entries of a view: loaded anew, dropped, or filled before anybody asks. Safe at any time: no
// older value comes back, and a write in between wins.
import { findLiveKeys, type Query } from '../db/index.js';
import { requireView } from './cache-policy.js';
import type { Context } from './context.js';
import { Invalid } from './errors.js';
import type { Maybe } from './input.js';

const MAX_KEYS = 1_000;
const KEYS_PER_PAGE = 500;

/** Loads entries from SQL whatever stands: those under `keys`, or all live ones. Gives how many were. */
export async function refreshCache(ctx: Context, view: string, keys: Maybe<readonly string[]>): Promise<number> {
  let refreshed = 0;
  for await (const page of pagesOf(ctx, view, keys)) refreshed += await ctx.services.cache.reload(view, page);
  ctx.cache.clear();
  return refreshed;
}

/** Drops entries: those under `keys`, or all live ones. Gives under how many keys nothing stands any more. */
export async function purgeCache(ctx: Context, view: string, keys: Maybe<readonly string[]>): Promise<number> {
  let purged = 0;
  for await (const page of pagesOf(ctx, view, keys)) {
    await ctx.services.cache.purge(view, page);
    purged += page.length;
  }
  ctx.cache.clear();
  return purged;
}

/** How far a view has been filled. */
export interface WarmedPage {
  readonly keys: number;
  /** Of these keys, how many entries stand now. */
  readonly warmed: number;
  /** The last of these keys, to go on after; null where there are no more. */
  readonly last: string | null;
}

/** Fills, from SQL, the entries of the next live keys of a view that do not stand. */
export async function warmPage(
  query: Query,
  warm: (keys: readonly string[]) => Promise<number>,
  view: string,
  after: string | undefined,
): Promise<WarmedPage> {
  const keys = await findLiveKeys(query, view, after, KEYS_PER_PAGE);
  const last = keys.length < KEYS_PER_PAGE ? null : (keys.at(-1) ?? null);
  return { keys: keys.length, warmed: await warm(keys), last };
}

async function* pagesOf(
  ctx: Context,
  view: string,
  keys: Maybe<readonly string[]>,
): AsyncGenerator<readonly string[], void, void> {
  requireView(ctx, view);
  if (keys) {
    if (keys.length > MAX_KEYS) {
      throw new Invalid(`Name ${MAX_KEYS} keys at most at a time, or leave them out for all.`, { path: ['keys'] });
    }
    yield [...new Set(keys)];
    return;
  }
  let after: string | undefined;
  do {
    const page = await findLiveKeys(ctx.services.query, view, after, KEYS_PER_PAGE);
    yield page;
    after = page.length < KEYS_PER_PAGE ? undefined : page.at(-1);
  } while (after !== undefined);
}
