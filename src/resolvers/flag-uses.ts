// When flags were last evaluated: noted in memory and written in batches, apart from the flags, because an evaluation
// must not change the cached flag, and must not wait. What was noted since the last batch is lost with the process.
import { type FlagUse, noteFlagUses, type Query } from '../db/index.js';
import type { Services } from './services.js';

/** The first batch after a silence comes soon, so that a report is true; a flag is written at most once in a minute. */
const FIRST_FLUSH_MS = 5_000;
const FLUSH_MS = 60_000;
/** More than any installation has flags; what comes on top is not counted before the next batch. */
const MAX_NOTED = 100_000;

export class FlagUses {
  readonly #query: Query;
  /** By environment and key. */
  #noted = new Map<string, Map<string, number>>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Notes that the flag was evaluated at `atMs` (Unix milliseconds). */
  note(environment: string, key: string, atMs: number): void {
    let keys = this.#noted.get(environment);
    if (!keys) {
      keys = new Map();
      this.#noted.set(environment, keys);
    }
    if (!keys.has(key)) {
      if (this.#count >= MAX_NOTED) return;
      this.#count += 1;
    }
    keys.set(key, atMs);
    if (this.#timer) return;
    const dueMs = Math.max(FIRST_FLUSH_MS, this.#flushedAtMs + FLUSH_MS - performance.now());
    this.#timer = setTimeout(() => void this.flush(), dueMs).unref();
  }

  /** Writes what is noted; what cannot be written is noted again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const uses: FlagUse[] = [];
    for (const [environment, keys] of this.#noted) {
      for (const [key, atMs] of keys) uses.push({ environment, key, atMs });
    }
    if (uses.length === 0) return;
    this.#noted = new Map();
    this.#count = 0;
    this.#flushedAtMs = performance.now();
    try {
      await noteFlagUses(this.#query, uses);
    } catch {
      for (const { environment, key, atMs } of uses) {
        if (!this.#noted.get(environment)?.has(key)) this.note(environment, key, atMs);
      }
    }
  }
}

const kept = new WeakMap<Query, FlagUses>();

/** The uses that this gateway has noted: one collection for each database that it reads. */
export function flagUsesOf({ query }: Services): FlagUses {
  const known = kept.get(query);
  if (known) return known;
  const made = new FlagUses(query);
  kept.set(query, made);
  return made;
}
