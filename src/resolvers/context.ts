// What a resolver has at hand: the services of the process, and what belongs to one request.
import type { Cache, RequestCache } from '../cache/index.js';
import type { Db, Query, Reader } from '../db/index.js';
import type { MasterKey } from './envelope.js';
import type { Scope } from './scopes.js';
import type { TokenUses } from './token-uses.js';

/** Who asks. Nobody has no scopes. */
export interface Viewer {
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
  readonly tokenId: string | null;
}

export const NOBODY: Viewer = { subject: null, scopes: new Set(), tokenId: null };

export interface Services {
  /** By which the other gateways know this one. */
  readonly gatewayId: string;
  readonly cache: Cache<Query>;
  readonly db: Db;
  /** Sees nothing of accounts and their statements. */
  readonly query: Query;
  /** Sees of accounts and their statements what the reader may. */
  readonly queryAs: (reader: Reader) => Query;
  readonly tokenUses: TokenUses;
  /** Key of the token digests. */
  readonly pepper: string;
  /** Key of the envelopes that secrets are kept in. */
  readonly masterKey: MasterKey;
  /** Key of the signatures on cursors. */
  readonly cursorKey: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface Context {
  readonly services: Services;
  readonly viewer: Viewer;
  /** The request's own view of the cache. */
  readonly cache: RequestCache<Query>;
  /** False where the request came by GET. */
  readonly posted: boolean;
  /**
   * The same caller as he is now, with a cache of his own: for streams, which outlive what let them in.
   * @throws Unauthenticated when his token has ceased to be valid.
   */
  readonly renew: () => Promise<Context>;
}

/** The context of a viewer whom nobody has to prove, and whose rights do not change. */
export function contextOfViewer(services: Services, viewer: Viewer, posted = true): Context {
  const renew = async () => contextOfViewer(services, viewer, posted);
  return { services, viewer, cache: services.cache.request(), posted, renew };
}

export const hasScope = ({ viewer }: Pick<Context, 'viewer'>, scope: Scope): boolean => viewer.scopes.has(scope);
