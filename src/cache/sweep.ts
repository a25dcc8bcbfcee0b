// Ends the fences of transactions that have ended but whose gateway never said so and whom no reader met.
import type { Clock } from './clock.js';
import type { ChangeLog } from './ports.js';
import type { GuardedPartition, Store } from './store.js';

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
      const fences = await store.standingFences(where, SWEEP_AGE_MS);
      const ended = fences.length > 0 ? await changeLog.ended(fences.flatMap(({ xids }) => xids)) : new Set<string>();
      const items = fences.flatMap(({ view, key, xids }) =>
        xids.filter((xid) => ended.has(xid)).map((xid) => ({ view, key, xid, version: ANY_VERSION })),
      );
      if (items.length > 0) await store.drop([{ ...where, items }]);
    }
  }
}
