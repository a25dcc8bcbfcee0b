// What one process can count of itself.

import type { Cache, CacheEvent } from '../cache/index.js';
import type { Query } from '../db/index.js';
import type { Sample, Work } from '../server/index.js';

type Counts = Map<string, { readonly view: string; readonly outcome: string; count: number }>;

/** Counts what the engine does beside answering out of the store, which it counts itself. */
export class Measures {
  readonly #cache: Cache<Query>;
  readonly #reads: Counts = new Map();
  readonly #refills: Counts = new Map();
  readonly #loads: Counts = new Map();

  constructor(cache: Cache<Query>) {
    this.#cache = cache;
    cache.events.on((event) => this.#record(event));
  }

  /** The numbers of this process; `worker` names it. */
  samples(work: Work, worker: string): Sample[] {
    const status = this.#cache.status();
    const one = (family: Sample['family'], value: number, labels: Sample['labels'] = {}): Sample => {
      return { family, labels: { ...labels, worker }, value };
    };
    const many = (family: Sample['family'], counts: Counts) =>
      [...counts.values()].map(({ view, outcome, count }) => one(family, count, { view, outcome }));
    return [
      ...work.answered.map(({ count, ...labels }) => one('espelho_requests_total', count, labels)),
      one('espelho_requests_in_flight', work.inFlight),
      one('espelho_subscriptions', work.subscriptions),
      ...status.views.map(({ view, hits }) => one('espelho_cache_reads_total', hits, { view, outcome: 'hit' })),
      ...many('espelho_cache_reads_total', this.#reads),
      ...many('espelho_cache_refills_total', this.#refills),
      ...[...this.#loads.values()].map(({ view, count }) => one('espelho_cache_loads_total', count, { view })),
      ...status.views.map(({ view, mismatches }) => one('espelho_cache_mismatches_total', mismatches, { view })),
      one('espelho_answers_total', status.answers.stood, { outcome: 'given' }),
      one('espelho_answers_total', status.answers.fell, { outcome: 'outdated' }),
      one('espelho_answers_bytes', work.answersBytes),
      ...status.trustedPartitions.map((trusted, partition) =>
        one('espelho_partition_trusted', trusted ? 1 : 0, { partition: String(partition) }),
      ),
      one('espelho_relay_lag_seconds', status.relayLagMs / 1_000),
      one('espelho_event_loop_delay_seconds', work.delayMs / 1_000),
      ...processSamples(worker),
    ];
  }

  #record(event: CacheEvent): void {
    switch (event.kind) {
      case 'miss':
      case 'fenced':
      case 'stale':
      case 'bypass':
        raise(this.#reads, event.view, event.kind);
        break;
      case 'filled':
      case 'refused':
      case 'unfillable':
        raise(this.#refills, event.view, event.kind);
        break;
      case 'loaded':
        raise(this.#loads, event.view, event.kind);
    }
  }
}

/** What any process has. */
export function processSamples(worker: string): Sample[] {
  const { user, system } = process.cpuUsage();
  return [
    { family: 'process_resident_memory_bytes', labels: { worker }, value: process.memoryUsage.rss() },
    { family: 'process_cpu_seconds_total', labels: { worker }, value: (user + system) / 1e6 },
  ];
}

function raise(counts: Counts, view: string, outcome: string): void {
  const name = `${view} ${outcome}`;
  const counted = counts.get(name);
  if (counted) counted.count++;
  else counts.set(name, { view, outcome, count: 1 });
}
