// How a write that was not confirmed makes sure of its readers: it withdraws trust from its partitions, and waits until no
// gateway can believe any more what was there before.
import type { Clock } from './clock.js';
import { type Lease, TRUST_LEASE_MS } from './lease.js';
import type { Closed, PartitionRow } from './ports.js';
import type { Succession } from './succession.js';

/** How long an acknowledgement may wait until nobody trusts a closed epoch: a lease, and a look or two. */
const QUIET_MS = TRUST_LEASE_MS + 1_000;
const RETRY_MS = 100;
/** For a second. */
const ATTEMPTS = 10;

export interface WithdrawalOptions {
  readonly clock: Clock;
  readonly lease: Pick<Lease, 'renew' | 'row' | 'quiet'>;
  readonly succession: Pick<Succession, 'close'>;
}

export class Withdrawal {
  readonly #options: WithdrawalOptions;
  #ended = false;

  constructor(options: WithdrawalOptions) {
    this.#options = options;
  }

  /**
   * Closes the epochs in force, so that what they hold is not believed again before it has caught up. Gives the epochs in
   * which that is done. Where a transaction holds a row, another attempt follows; `quiet` tells whether one succeeded.
   */
  async shut(partitions: readonly number[]): Promise<readonly Closed[]> {
    const { clock, lease, succession } = this.#options;
    await lease.renew();
    const closed = partitions.map((partition) => ({ partition, epoch: epochOnceClosed(lease.row(partition)) }));
    let left = closed;
    for (let attempt = 1; attempt <= ATTEMPTS && left.length > 0; attempt++) {
      if (attempt > 1) await clock.sleep(RETRY_MS);
      for (const { partition } of left) await succession.close(lease.row(partition));
      await lease.renew();
      left = left.filter(({ partition, epoch }) => BigInt(lease.row(partition)?.epoch ?? 0) < BigInt(epoch));
    }
    return closed;
  }

  /**
   * Resolves to true once no gateway believes what was before these epochs were closed, at once where that is known
   * already; to false when it could not be learned in time.
   */
  async quiet(closed: readonly Closed[]): Promise<boolean> {
    const { clock, lease } = this.#options;
    const deadlineMs = clock.nowMs() + QUIET_MS;
    for (;;) {
      if (closed.every((each) => lease.quiet(each) || this.#reopened(each))) return true;
      if (clock.nowMs() >= deadlineMs || this.#ended) return false;
      await lease.renew().catch(() => {});
      if (!closed.every((each) => lease.quiet(each))) await clock.sleep(RETRY_MS);
    }
  }

  /** Whoever waits gives up. */
  end(): void {
    this.#ended = true;
  }

  /** Whether this epoch or a later one was opened, or could be: that is when nobody trusts what was before. */
  #reopened({ partition, epoch }: Closed): boolean {
    const { lease } = this.#options;
    const row = lease.row(partition);
    if (!row || BigInt(row.epoch) < BigInt(epoch)) return false;
    return row.open || (row.epoch !== epoch && lease.quiet(row));
  }
}

/** The one in force, where it is closed already; else the one after it. */
const epochOnceClosed = (row: PartitionRow | undefined): string =>
  row?.open ? String(BigInt(row.epoch) + 1n) : (row?.epoch ?? '0');
