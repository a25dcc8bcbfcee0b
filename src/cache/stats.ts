// Counts what the engine did since the process began, by view, and keeps the latest read times for percentiles.
import type { CacheEvent } from './events.js';
import type { StandingStats } from './standing.js';

const SAMPLES = 1_024;

export interface ViewStats {
  readonly hits: number;
  /** Reads that the store could not answer, stale ones included. */
  readonly misses: number;
  readonly stale: number;
  /** Hits that SQL contradicted, of the share that is compared. */
  readonly mismatches: number;
  /** Undefined before the first read. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** How the cache of one process stands. */
export interface CacheStatus {
  readonly store: 'redis' | 'memory';
  readonly trusted: boolean;
  /** The same of each partition. */
  readonly trustedPartitions: readonly boolean[];
  readonly relayLagMs: number;
  /** Of answers that were asked about by `stand`. */
  readonly answers: StandingStats;
  readonly views: readonly (ViewStats & { readonly view: string })[];
}

interface Counters {
  hits: number;
  misses: number;
  stale: number;
  mismatches: number;
  reads: number;
  readonly samplesMs: Float64Array;
}

export class Stats {
  readonly #views = new Map<string, Counters>();

  readonly record = (event: CacheEvent): void => {
    switch (event.kind) {
      case 'hit':
      case 'miss':
      case 'stale':
      case 'fenced':
      case 'bypass': {
        const counters = this.#countersOf(event.view);
        if (event.kind === 'hit') counters.hits++;
        else counters.misses++;
        if (event.kind === 'stale') counters.stale++;
        counters.samplesMs[counters.reads++ % SAMPLES] = event.ms;
        break;
      }
      case 'mismatch':
        this.#countersOf(event.view).mismatches++;
    }
  };

  of(view: string): ViewStats {
    const { hits, misses, stale, mismatches, reads, samplesMs } = this.#countersOf(view);
    const sorted = samplesMs.slice(0, Math.min(reads, SAMPLES)).sort();
    const percentile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { hits, misses, stale, mismatches, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
  }

  #countersOf(view: string): Counters {
    const known = this.#views.get(view);
    if (known) return known;
    const counters = {
      hits: 0,
      misses: 0,
      stale: 0,
      mismatches: 0,
      reads: 0,
      samplesMs: new Float64Array(SAMPLES),
    };
    this.#views.set(view, counters);
    return counters;
  }
}
