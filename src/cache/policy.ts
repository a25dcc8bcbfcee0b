// How long entries live: what was set at run time over the environment over the code, with jitter so that neighbours
// expire apart. A TTL is hygiene; nothing that a reader relies on rests on it.
import type { AnyView, Mode, Shape } from './view.js';

/** Entries live between 90 % and 100 % of their TTL. */
export const JITTER = 0.1;

export interface TtlPolicy {
  readonly ttlMs: number;
  readonly source: 'CODE' | 'ENVIRONMENT' | 'RUNTIME';
  /** Of what was set at run time. */
  readonly version?: string;
}

/** How a view is kept, and where its TTL comes from. */
export interface ViewPolicy extends TtlPolicy {
  readonly view: string;
  readonly shape: Shape;
  readonly mode: Mode;
  /** The part of its TTL by which an entry's life may be shortened at random. */
  readonly jitter: number;
}

/** TTLs by view name, in milliseconds, that override those in code. */
export type TtlOverrides = ReadonlyMap<string, number>;

/** A TTL that was set at run time, with the version of the row that says so. */
export interface RuntimeTtl {
  readonly ttlMs: number;
  readonly version: string;
}

export type RuntimeTtls = ReadonlyMap<string, RuntimeTtl>;

/** The TTLs in force in this process. A change holds for what is stored from then on: what stands keeps its life. */
export class Policies {
  readonly #environment: TtlOverrides;
  #runtime: RuntimeTtls = new Map();

  constructor(environment: TtlOverrides = new Map()) {
    this.#environment = environment;
  }

  of(view: Pick<AnyView<never>, 'name' | 'ttlMs'>): TtlPolicy {
    const runtime = this.#runtime.get(view.name);
    if (runtime) return { ...runtime, source: 'RUNTIME' };
    const ttlMs = this.#environment.get(view.name);
    return ttlMs === undefined ? { ttlMs: view.ttlMs, source: 'CODE' } : { ttlMs, source: 'ENVIRONMENT' };
  }

  /** Takes `runtime` for all that is set at run time; names of unknown views are of no effect. */
  adopt(runtime: RuntimeTtls): void {
    this.#runtime = runtime;
  }
}

/** `ttlMs`, shortened at random by up to `JITTER`; `random` gives 0 ≤ n < 1. */
export function jittered(ttlMs: number, random: () => number): number {
  return Math.max(1, Math.round(ttlMs * (1 - JITTER * random())));
}
