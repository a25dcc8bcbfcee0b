// One step towards trust in partitions that are not believed: what does not agree with Postgres is closed or opened, what
// agrees is caught up with.
import { catchUp, type GuardedCursor } from './catch-up.js';
import type { Events } from './events.js';
import type { ChangeLog, PartitionRow } from './ports.js';
import type { Store } from './store.js';
import { agreedOn, type Succession } from './succession.js';

/** A partition that is not believed, as a look at Postgres has just shown it. */
export interface Unknown {
  readonly partition: number;
  readonly row: PartitionRow | undefined;
  /** Its generation was given up: the log cannot be continued. */
  readonly abandoned: boolean;
}

export interface Learned {
  /** Agreed on and caught up with. */
  readonly learned: readonly GuardedCursor[];
  /** Agreed on, but the log cannot be continued from where the store is. */
  readonly discontinued: readonly GuardedCursor[];
  /** Whether an epoch was closed or opened; never rejects. */
  readonly stepped: Promise<boolean>;
}

export interface LearningOptions {
  readonly store: Store;
  readonly changeLog: ChangeLog;
  readonly events: Events;
  readonly succession: Pick<Succession, 'step'>;
}

/**
 * Goes one step with each partition. The rows must have been read before the call, which asks the store: newer ones could
 * be those of an epoch that another gateway is just beginning.
 */
export async function learnOnce(options: LearningOptions, unknown: readonly Unknown[]): Promise<Learned> {
  const { store, changeLog, events, succession } = options;
  const metas = await store.meta(unknown.map(({ partition }) => partition));
  const agreeing: GuardedCursor[] = [];
  const steps = unknown.map(async ({ partition, row, abandoned }, at): Promise<boolean> => {
    const meta = metas[at];
    if (!meta?.incarnation) return false;
    const agreed = abandoned ? undefined : agreedOn(meta, row);
    if (!agreed) return succession.step(partition, row, meta, abandoned);
    agreeing.push({ partition, ...agreed });
    return false;
  });
  const stepped = Promise.allSettled(steps).then((all) => {
    for (const step of all) {
      if (step.status === 'rejected') events.emit({ kind: 'failing', part: 'trust', error: step.reason });
    }
    return all.some((step) => step.status === 'fulfilled' && step.value);
  });
  const outcomes = await catchUp(store, changeLog, agreeing);
  const those = (outcome: string) => agreeing.filter(({ partition }) => outcomes.get(partition) === outcome);
  return {
    learned: those('caught up'),
    discontinued: those('discontinued'),
    stepped,
  };
}
