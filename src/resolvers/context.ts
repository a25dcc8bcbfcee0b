// What a resolver has at hand: the services of the process, and what belongs to one request.
import type { RequestCache } from '../cache/index.js';
import type { Query } from '../db/index.js';
import { Repetition } from './repetition.js';
import type { Scope } from './scopes.js';
import type { Services } from './services.js';

export type { Services } from './services.js';

/** Who asks. Nobody has no scopes. */
export interface Viewer {
  readonly subject: string | null;
  readonly scopes: ReadonlySet<string>;
  readonly tokenId: string | null;
}

export const NOBODY: Viewer = { subject: null, scopes: new Set(), tokenId: null };

export interface Context {
  readonly services: Services;
  readonly viewer: Viewer;
  /** The request's own view of the cache. */
  readonly cache: RequestCache<Query>;
  /** Whether the answer may be given again. */
  readonly repetition: Repetition;
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
  const repetition = new Repetition(services);
  return { services: repetition.services, viewer, cache: services.cache.request(), repetition, posted, renew };
}

export const hasScope = ({ viewer }: Pick<Context, 'viewer'>, scope: Scope): boolean => viewer.scopes.has(scope);
