// How long entries live: the environment over the code, with jitter so that neighbours expire apart. A TTL is hygiene;
// nothing that a reader relies on rests on it.
import type { AnyView } from './view.js';

/** Entries live between 90 % and 100 % of their TTL. */
export const JITTER = 0.1;

export interface TtlPolicy {
  readonly ttlMs: number;
  readonly source: 'CODE' | 'ENVIRONMENT';
}

/** TTLs by view name, in milliseconds, that override those in code. */
export type TtlOverrides = ReadonlyMap<string, number>;

export function ttlPolicyOf<Source>(view: AnyView<Source>, overrides: TtlOverrides): TtlPolicy {
  const override = overrides.get(view.name);
  return override === undefined ? { ttlMs: view.ttlMs, source: 'CODE' } : { ttlMs: override, source: 'ENVIRONMENT' };
}

/** `ttlMs`, shortened at random by up to `JITTER`; `random` gives 0 ≤ n < 1. */
export function jittered(ttlMs: number, random: () => number): number {
  return Math.max(1, Math.round(ttlMs * (1 - JITTER * random())));
}
