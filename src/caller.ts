// Who asks: found by the token of a request, and what the edge may know of it.
import {
  authenticate,
  type Context,
  contextOfViewer,
  NOBODY,
  Repetition,
  type Services,
  Unauthenticated,
} from './resolvers/index.js';

/**
 * What a request read, as its caller may know it. Of strict views, version and age would tell a foreign entry from a
 * missing one; only who may read the cache itself sees them.
 */
export function traceOf({ cache, viewer, services }: Context): readonly object[] {
  const isStrict = (view: string) => services.cache.caches(view) && services.cache.view(view).mode === 'strict';
  const sees = (view: string) => viewer.scopes.has('cache:read') || !isStrict(view);
  return cache.trace.map(({ version, ageMs, ...entry }) => (sees(entry.view) ? { ...entry, version, ageMs } : entry));
}

/** What the edge may know of a caller: who he is, without his token, and whether he may write or ask freely. */
export function standingOf({ viewer: { tokenId, scopes } }: Context) {
  const writes = [...scopes].some((scope) => scope.endsWith(':write'));
  return { id: tokenId ?? undefined, writes, free: scopes.has('ad-hoc') };
}

/**
 * For how long what a request has read may be kept outside: no longer than the entries themselves live, `most` seconds at
 * most, and not at all where anything is strict, stale or asked of SQL. Shared only where nobody in particular asked.
 */
export function keepingOf(
  { cache: { trace }, viewer: { subject }, services }: Context,
  most: number,
  engine = services.cache, // through the context, it would count as something that the answer was made from
) {
  const readMs = performance.now();
  const shared = subject === null;
  const read = trace.map(({ view, outcome, ageMs }) => ({
    ageMs,
    view: isKept(engine, view) && KEPT.has(outcome) ? view : undefined,
  }));
  const keeping = () => {
    const sinceMs = performance.now() - readMs;
    const lives = read.map(({ view, ageMs }) =>
      view === undefined ? 0 : (engine.ttlOf(view).ttlMs - ageMs - sinceMs) / 1_000,
    );
    const life = lives.length === 0 ? 0 : Math.min(most, ...lives);
    return { maxAgeSeconds: Math.max(0, Math.floor(life)), shared, later: keeping };
  };
  return keeping();
}

const isKept = (cache: Services['cache'], view: string): boolean =>
  cache.caches(view) && cache.view(view).mode === 'available';

const KEPT: ReadonlySet<string> = new Set(['HIT', 'MISS']);

/** @throws {Unauthenticated} at an Authorization header that bears no valid token. */
export async function contextOf(
  services: Services,
  arrival: { readonly authorization: string | undefined; readonly posted: boolean },
): Promise<Context> {
  const { authorization, posted } = arrival;
  if (authorization === undefined) return contextOfViewer(services, NOBODY, posted);
  const cache = services.cache.request();
  const [, secret = ''] = /^Bearer +([\x21-\x7e]{1,200})$/i.exec(authorization) ?? [];
  const repetition = new Repetition(services);
  const viewer = await authenticate({ services, cache, repetition }, secret);
  if (!viewer)
    throw new Unauthenticated(
      'This token is not valid: it is unknown, expired or revoked, or was copied badly; ask for a new one.',
    );
  return {
    services: repetition.services,
    viewer,
    cache,
    repetition,
    posted,
    renew: () => contextOf(services, arrival),
  };
}
