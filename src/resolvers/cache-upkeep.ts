// Operators' hand on the entries of a view: loaded anew, dropped, or filled before anybody asks. Safe at any time: no
// older value comes back, and a write in between wins. The audit log says who did it, before it is done.
import { printedKey } from '../cache/index.js';
import { findLiveKeys, type Query } from '../db/index.js';
import { announce } from './audit.js';
import { requireView } from './cache-policy.js';
import type { Context } from './context.js';
import { Invalid } from './errors.js';
import type { Maybe } from './input.js';

const MAX_KEYS = 1_000;
const KEYS_PER_PAGE = 500;
/** So much of what was named is kept in the audit log. */
const AUDITED_KEYS = 20;
const AUDITED_KEY_LENGTH = 200;

/** Loads entries from SQL whatever stands: those under `keys`, or all live ones. Gives how many were. */
export async function refreshCache(ctx: Context, view: string, keys: Maybe<readonly string[]>): Promise<number> {
  const wanted = await announced(ctx, 'refreshCache', view, keys);
  let refreshed = 0;
  for await (const page of pagesOf(ctx, view, wanted)) refreshed += await ctx.services.cache.reload(view, page);
  ctx.cache.clear();
  return refreshed;
}

/** Drops entries: those under `keys`, or all live ones. Gives under how many keys nothing stands any more. */
export async function purgeCache(ctx: Context, view: string, keys: Maybe<readonly string[]>): Promise<number> {
  const wanted = await announced(ctx, 'purgeCache', view, keys);
  let purged = 0;
  for await (const page of pagesOf(ctx, view, wanted)) {
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

/** The keys, each once, after the audit log says what is about to be done; undefined for all. */
async function announced(
  ctx: Context,
  action: string,
  name: string,
  keys: Maybe<readonly string[]>,
): Promise<readonly string[] | undefined> {
  const view = requireView(ctx, name);
  if (keys && keys.length > MAX_KEYS) {
    throw new Invalid(`Name ${MAX_KEYS} keys at most at a time, or leave them out for all.`, { path: ['keys'] });
  }
  const hostile = keys?.findIndex((key) => /[\0\p{Surrogate}]/u.test(key)) ?? -1;
  if (hostile >= 0) throw new Invalid('No entry has such a key.', { path: ['keys', String(hostile)] });
  const wanted = keys ? [...new Set(keys)] : undefined;
  const first = wanted
    ?.slice(0, AUDITED_KEYS)
    .map((key) => printedKey(view, [...key].slice(0, AUDITED_KEY_LENGTH).join('')));
  const after = wanted ? { keys: wanted.length, first } : { keys: 'all' };
  await announce(ctx, { action, domain: 'CACHE_POLICY', key: name, after });
  return wanted;
}

async function* pagesOf(
  ctx: Context,
  view: string,
  keys: readonly string[] | undefined,
): AsyncGenerator<readonly string[], void, void> {
  if (keys) {
    yield keys;
    return;
  }
  let after: string | undefined;
  do {
    const page = await findLiveKeys(ctx.services.query, view, after, KEYS_PER_PAGE);
    yield page;
    after = page.length < KEYS_PER_PAGE ? undefined : page.at(-1);
  } while (after !== undefined);
}
