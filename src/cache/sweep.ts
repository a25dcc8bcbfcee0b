// Ends the fences of transactions that have ended but whose gateway never said so and whom no reader met.
import type { Clock } from './clock.js';
import type { ChangeLog } from './ports.js';
import { type GuardedPartition, type Store, xidOf } from './store.js';

const SWEEP_MS = 5_000;
const SWEEP_AGE_MS = 1_000;
/** Above every version: removes whatever stands. */
const ANY_VERSION = '9'.repeat(19);

export interface SweepOptions {
  readonly store: Store;
  readonly changeLog: Pick<ChangeLog, 'ended'>;
  readonly clock: Clock;
}

export class Sweep {
  readonly #options: SweepOptions;
  #sweptAtMs: number;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#sweptAtMs = options.clock.nowMs();
  }

  /**
   * Sweeps these partitions, if it is time to. Values go with their fences: whether the transaction committed is not asked.
   * Rejects when Postgres or the store is out of reach.
   */
  async nowAndThen(partitions: readonly GuardedPartition[]): Promise<void> {
    const { store, changeLog, clock } = this.#options;
    if (clock.nowMs() - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = clock.nowMs();
    for (const where of partitions) {
      const standing = await store.standingFences(where, SWEEP_AGE_MS);
      const xids = standing.flatMap(({ fences }) => fences.map(xidOf));
      const ended = xids.length > 0 ? await changeLog.ended(xids) : new Set<string>();
      const items = standing.flatMap(({ view, key, fences }) =>
        fences.filter((each) => ended.has(xidOf(each))).map((xid) => ({ view, key, xid, version: ANY_VERSION })),
      );
      if (items.length > 0) await store.drop([{ ...where, items }]);
    }
  }
}
