// How a partition goes from one epoch to the next. An epoch is closed by who finds that store and Postgres disagree; the
// next one is opened when nobody can still believe what was before; and what the store holds then is caught up with.
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import type { Lease } from './lease.js';
import type { ChangeLog, PartitionRow } from './ports.js';
import type { Guard, Meta, Store } from './store.js';

export interface SuccessionOptions {
  readonly store: Pick<Store, 'begin'>;
  readonly changeLog: Pick<ChangeLog, 'closeEpoch' | 'openEpoch' | 'now'>;
  readonly lease: Pick<Lease, 'quiet'>;
  readonly events: Events;
}

export class Succession {
  readonly #options: SuccessionOptions;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /**
   * Goes one step with a partition whose store and row do not agree, or whose log cannot be continued (`anew`); whether it
   * led anywhere. The row must have been read before the meta: a later one could be of an epoch that another gateway is just
   * beginning.
   */
  async step(partition: number, row: PartitionRow | undefined, meta: Meta, anew: boolean): Promise<boolean> {
    const { changeLog, lease, events } = this.#options;
    const { incarnation, stored } = meta;
    if (row && !row.open && !isAhead(meta, row)) {
      return incarnation !== undefined && lease.quiet(row) && this.#open(row, incarnation, meta);
    }
    // A successor still shows the life that it follows; one that shows its own was superseded.
    const isSuccessor = stored?.generation === row?.generation && stored?.incarnation !== incarnation;
    const foreign = row !== undefined && incarnation !== row.incarnation && !isSuccessor;
    const seenEpoch = stored?.epoch ?? '0';
    const closed = await changeLog.closeEpoch({ partition, epoch: row?.epoch, seenEpoch, anew, foreign });
    const error = new CacheUnavailable(
      'The gateways on this database trust another Redis; if that lasts, set REDIS_URL to theirs.',
      'untrusted',
    );
    if (!closed && foreign) events.emit({ kind: 'failing', part: 'trust', error });
    return closed;
  }

  /** Closes an epoch that cannot be vouched for any more, whatever the store shows. */
  async close(row: PartitionRow | undefined): Promise<void> {
    if (!row?.open) return;
    const { partition, epoch } = row;
    await this.#options.changeLog.closeEpoch({ partition, epoch, seenEpoch: '0', anew: false, foreign: false });
  }

  /**
   * Nobody trusts this partition any more. Where the store holds its last generation it goes on with that, from where the
   * log was carried over to; else it begins an empty one, under a number never used before, from now on.
   */
  async #open(row: PartitionRow, incarnation: string, { stored }: Meta): Promise<boolean> {
    const { store, changeLog, events } = this.#options;
    const { partition, epoch } = row;
    if (stored?.incarnation === incarnation && stored.epoch === epoch) {
      return changeLog.openEpoch({ partition, incarnation, epoch, generation: stored.generation });
    }
    const kept = stored?.generation === row.generation ? stored : undefined;
    const guard = { incarnation, epoch, generation: kept?.generation ?? epoch };
    const cursor = kept?.cursor ?? (await changeLog.now());
    if (!(await store.begin(partition, guard, cursor))) return false;
    if (!kept) events.emit({ kind: 'generation', partitions: [partition] });
    return changeLog.openEpoch({ partition, ...guard });
  }
}

/** Whether the store knows of a later epoch than Postgres, as when a database was set back to a backup. */
const isAhead = ({ stored }: Meta, { epoch }: PartitionRow): boolean =>
  stored !== undefined && BigInt(stored.epoch) > BigInt(epoch);

/** The guard and cursor of a partition that is open, and whose master, meta and row in Postgres agree. */
export function agreedOn(
  meta: Meta | undefined,
  row: PartitionRow | undefined,
): { guard: Guard; cursor: string } | undefined {
  const stored = meta?.stored;
  const agree =
    stored !== undefined &&
    row?.open === true &&
    stored.incarnation === meta?.incarnation &&
    row.incarnation === meta.incarnation &&
    stored.epoch === row.epoch &&
    stored.generation === row.generation;
  if (!agree) return undefined;
  const { incarnation, epoch, generation } = row;
  return { guard: { incarnation, epoch, generation }, cursor: stored.cursor };
}
