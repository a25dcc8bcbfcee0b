// What an answer rests on, put together from what its request has read of the cache and what else it was made from.
import type { Context, Services } from './resolvers/index.js';

/** Of more entries than this a script would hold up the others. */
const MAX_GROUNDS = 200;
const GROUND_BYTES = 400;
const ACT_BYTES = 200;
const TERMS_BYTES = 500;

/**
 * Tells of a finished query what the edge needs to give its answer again: every entry that it has read, its caller's
 * token among them, must stand, and the moment must be within what was true at the time. Undefined where the query has
 * used anything else, or nothing of the cache.
 */
export function basisOf(services: Services) {
  return ({ cache: { grounds }, repetition: { terms } }: Context) => {
    if (!grounds || !terms || grounds.length === 0 || grounds.length > MAX_GROUNDS) return undefined;
    const { fromMs, untilMs, acts, again } = terms;
    return {
      holds: () => {
        const nowMs = services.now();
        return fromMs <= nowMs && nowMs < untilMs;
      },
      stands: (tell: (stands: boolean) => void) => services.cache.askStanding(grounds, tell),
      again,
      bytes: grounds.reduce((sum, { key }) => sum + GROUND_BYTES + 2 * key.length, TERMS_BYTES + acts * ACT_BYTES),
    };
  };
}
