// A ready answer, and what it rests on.

import type { Standing } from './door.js';
import type { KeptOutside } from './http-cache.js';
import type { Weight } from './weight.js';

/** What an answer rests on. */
export interface Basis {
  /** Whether the answer would be the same at this moment, as far as it depends on time. */
  readonly holds: () => boolean;
  /** Tells whether all else stands at some moment after the call. Never throws; in doubt it is false. */
  readonly stands: (tell: (stands: boolean) => void) => void;
  /** Does what goes with each answer and is no part of it. */
  readonly again: () => void;
  /** About how much memory it takes. */
  readonly bytes: number;
  /** The same as JSON, of which `basisFrom` makes it again in this process. */
  readonly packed: () => unknown;
}

export interface KeptAnswer {
  /** As it is sent; where it is short, as a string of its bytes, which Node sends in one piece with the head. */
  readonly body: Buffer | string;
  /** Of this answer alone: names and values in turn, the length of the body last. */
  readonly head: readonly string[];
  /** Undefined where nobody outside may keep the answer. */
  readonly outside: KeptOutside | undefined;
  readonly basis: Basis;
  /** Of the caller, whose token is among what the answer rests on. */
  readonly standing: Standing;
  readonly weight: Weight;
  readonly operation: string | undefined;
}
