// One safety clause of the protocol, and the edits of the sources that switch it off.
import type { Kind } from '../simulator/checker.js';

export interface Edit {
  readonly file: string;
  /** Must occur exactly once. */
  readonly find: string;
  readonly replace: string;
}

interface Clause {
  readonly name: string;
  /** Of docs/freshness.md. */
  readonly rule: string;
  readonly clause: string;
  readonly edits: readonly Edit[];
}

/** Found by schedules. */
export interface ScheduledMutant extends Clause {
  readonly tier: 'model' | 'real';
  /** Comes over every schedule: without it the interleaving is rare. */
  readonly storm?: string;
  /** Readers of every schedule answer again what they have read, where it stands. */
  readonly answers?: true;
  /** What the checker may find first. */
  readonly expected: readonly Kind[];
}

/** Found by one test: other clauses hide it from every reader, or it serves liveness. */
export interface TestedMutant extends Clause {
  readonly tier: 'test';
  readonly test: { readonly file: string; readonly title: string };
}

export type Mutant = ScheduledMutant | TestedMutant;
