// The TTLs of views as parameters: what is set at run time holds on every gateway within about a second and survives
// restarts. It holds for what is stored from then on; entries that stand keep the life that they were given.
import type { RuntimeTtls, ViewPolicy } from '../cache/index.js';
import { UnknownView } from '../cache/index.js';
import { findCachePolicies, putCachePolicy, type Query } from '../db/index.js';
import type { Context } from './context.js';
import { Invalid } from './errors.js';
import type { Maybe } from './input.js';
import { type Receipt, type WriteOptions, write } from './write.js';

export interface CachePolicy extends Omit<ViewPolicy, 'ttlMs'> {
  readonly ttlSeconds: number;
}

const MAX_TTL_SECONDS = 31_536_000; // a year

/** The policy of every view, with all that was set at run time until now. */
export async function listCachePolicies({ services: { cache } }: Context): Promise<CachePolicy[]> {
  await cache.learnPolicies();
  return cache.policies().map(inSeconds);
}

/** Sets how long entries of the view live that are stored from now on; on other gateways, within about a second. */
export async function setCachePolicy(
  ctx: Context,
  { view, ttlSeconds }: { view: string; ttlSeconds: number },
  options?: Maybe<WriteOptions>,
): Promise<{ receipt: Receipt; policy: CachePolicy }> {
  requireView(ctx, view);
  if (ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) {
    throw new Invalid(`A TTL has 1 to ${MAX_TTL_SECONDS} seconds; purgeCache empties a view at once.`, {
      path: ['ttlSeconds'],
    });
  }
  const plan = {
    action: 'setCachePolicy',
    domain: 'CACHE_POLICY' as const,
    key: view,
    roots: [{ view: 'cache-policy', key: view }] as const,
    options,
  };
  const { kind, receipt } = await write(ctx, plan, async (tx) => {
    const before = await putCachePolicy(tx, view, ttlSeconds);
    return {
      result: undefined,
      ...(before !== undefined && { before: { ttlSeconds: before } }),
      after: { ttlSeconds },
    };
  });
  const policy = (await listCachePolicies(ctx)).find((each) => each.view === view);
  if (!policy) throw new Error(`View ${view} has no policy although it was just set.`);
  return { receipt, policy: kind === 'written' ? policy : { ...policy, ...writtenBy(receipt), ttlSeconds } };
}

/** What a dry run would have set, or a replay did once, has no place among the policies that hold now. */
const writtenBy = ({ dryRun, version }: Receipt) => ({
  source: 'RUNTIME' as const,
  ...(!dryRun && version !== null && { version: String(version) }),
});

/** What was set at run time, in the form that the cache takes it. */
export async function readRuntimeTtls(query: Query): Promise<RuntimeTtls> {
  const rows = await findCachePolicies(query);
  return new Map(rows.map(({ view, ttlSeconds, version }) => [view, { ttlMs: ttlSeconds * 1_000, version }]));
}

/** @throws {Invalid} with the views that there are, when no view has this name. */
export function requireView({ services }: Pick<Context, 'services'>, name: string) {
  try {
    return services.cache.view(name);
  } catch (error) {
    throw error instanceof UnknownView ? new Invalid(error.message, { path: ['view'] }) : error;
  }
}

const inSeconds = ({ ttlMs, ...policy }: ViewPolicy): CachePolicy => ({
  ...policy,
  ttlSeconds: Math.max(1, Math.round(ttlMs / 1_000)),
});
