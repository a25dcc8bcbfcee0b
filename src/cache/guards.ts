// The guards that partitions are believed under, each for as long as the lease on its epoch lasts.
import type { Lease } from './lease.js';
import type { Guard, GuardedPartition } from './store.js';

export class Guards extends Map<number, Guard> {
  readonly #lease: Pick<Lease, 'holds'>;

  constructor(lease: Pick<Lease, 'holds'>) {
    super();
    this.#lease = lease;
  }

  /** Whether this very guard is in force, and its epoch open as far as the lease tells. */
  vouches(partition: number, guard: Guard): boolean {
    return this.get(partition) === guard && this.#lease.holds({ partition, epoch: guard.epoch });
  }

  /** Partitions whose guard the lease does not hold any more. */
  lapsed(): number[] {
    return [...this].filter(([partition, guard]) => !this.vouches(partition, guard)).map(([partition]) => partition);
  }

  /** The partitions among these whose guard has not been replaced or given up since. */
  inForce(asked: readonly GuardedPartition[]): number[] {
    return asked.filter(({ partition, guard }) => this.get(partition) === guard).map(({ partition }) => partition);
  }

  /** The lives of masters that are vouched for. */
  incarnations(): readonly string[] {
    const vouched = [...this].filter(([partition, guard]) => this.vouches(partition, guard));
    return [...new Set(vouched.map(([, { incarnation }]) => incarnation))];
  }
}
