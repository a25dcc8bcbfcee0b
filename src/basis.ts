// What an answer rests on, put together from what its request has read of the cache and what else it was made from.
import { type Ground, GroundPacker, type PackedGrounds } from './cache/index.js';
import { type Act, type Context, perform, type Services, type Terms } from './resolvers/index.js';

/** Of more entries than this a script would hold up the others. */
const MAX_GROUNDS = 200;
const GROUND_BYTES = 400;
const ACT_BYTES = 200;
const TERMS_BYTES = 500;

/** Left out are moments that never come, and began at any time. */
type Packed = readonly [fromMs: number | null, untilMs: number | null, acts: readonly Act[], grounds: PackedGrounds];

/**
 * Tells of a finished query what the edge needs to give its answer again: every entry that it has read, its caller's
 * token among them, must stand, and the moment must be within what was true at the time. Undefined where the query has
 * used anything else, or nothing of the cache. Where the store lacked an entry, it is told once that one is filled.
 */
export function basesOf(services: Services) {
  const packer = new GroundPacker();
  const basis = (grounds: readonly Ground[], { fromMs, untilMs, acts }: Terms) => ({
    holds: () => {
      const nowMs = services.now();
      return fromMs <= nowMs && nowMs < untilMs;
    },
    stands: (tell: (stands: boolean) => void) => services.cache.askStanding(grounds, tell),
    again: () => {
      for (const act of acts) perform(act, services);
    },
    bytes: grounds.reduce((sum, { key }) => sum + GROUND_BYTES + 2 * key.length, TERMS_BYTES + acts.length * ACT_BYTES),
    packed: (): Packed => [finite(fromMs), finite(untilMs), acts, packer.pack(grounds)],
  });
  return {
    basisOf: ({ cache: { grounds }, repetition: { terms } }: Context) => {
      const of = (all: readonly Ground[] | undefined) =>
        !all || !terms || all.length === 0 || all.length > MAX_GROUNDS ? undefined : basis(all, terms);
      return grounds instanceof Promise ? grounds.then(of) : of(grounds);
    },
    basisFrom: (packed: unknown) => {
      const [fromMs, untilMs, acts, words] = packed as Packed;
      const grounds = packer.unpack(words);
      const terms = { fromMs: fromMs ?? Number.NEGATIVE_INFINITY, untilMs: untilMs ?? Number.POSITIVE_INFINITY, acts };
      return grounds && basis(grounds, terms);
    },
  };
}

const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);
