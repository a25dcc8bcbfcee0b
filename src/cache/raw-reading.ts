// What a read of one entry comes to, out of the store or out of SQL.
import type { Made } from './held.js';
import { Members, type Part } from './part.js';
import type { Ground } from './standing.js';
import type { Loaded, Shape } from './view.js';

/** How an answer came about, for traces and counters. */
export type Outcome = 'HIT' | 'MISS' | 'STALE' | 'FENCED' | 'BYPASS';

/** One entry as read: JSON text, or null where it is known not to exist. */
export interface RawReading {
  readonly outcome: Outcome;
  readonly version: string;
  readonly changedAtMs: number;
  /** Time since the entry was stored; 0 for what was just read from SQL. */
  readonly ageMs: number;
  readonly value: string | null;
  /** The part asked for. */
  readonly members: readonly (string | null)[];
  /** Rows, fields or members in the whole. */
  readonly count: number;
  /** What it rests on; left out unless the store had it and vouches for it. */
  readonly ground?: Ground;
  /** The same of what was just read from SQL, once the store has taken it; undefined where it did not. Never rejects. */
  readonly filled?: Promise<Ground | undefined>;
  /** What was made of this very value before; left out where it is not held. */
  readonly made?: Made;
}

/** What Postgres cannot hold exists nowhere; asked for, it would fail the statement that others share. */
export const isStorable = (key: string): boolean => !key.includes('\0') && !/\p{Surrogate}/u.test(key);

/** Of a key that exists nowhere. */
export const ABSENT: RawReading = {
  outcome: 'MISS',
  version: '0',
  changedAtMs: 0,
  ageMs: 0,
  value: null,
  members: [],
  count: 0,
};

/** What SQL said, cut to the part asked for. */
export function loadedReading(outcome: Outcome, loaded: Loaded, part: Part | undefined, shape: Shape): RawReading {
  const members = new Members(shape, loaded.members ?? []);
  return {
    outcome,
    version: loaded.version,
    changedAtMs: loaded.changedAtMs,
    ageMs: 0,
    value: loaded.value,
    members: members.part(part),
    count: members.count,
  };
}
