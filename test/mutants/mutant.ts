// One safety clause of the protocol, and the edits of the sources that switch it off.
import type { Kind } from '../simulator/checker.js';

export interface Edit {
  readonly file: string;
  /** Must occur exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** Of docs/freshness.md. */
  readonly rule: string;
  readonly clause: string;
  readonly tier: 'model' | 'real';
  /** Hidden by other clauses but for rare schedules: the gate runs it only when it is asked to run all. */
  readonly rare?: true;
  /** What the checker may find first. */
  readonly expected: readonly Kind[];
  readonly edits: readonly Edit[];
}
