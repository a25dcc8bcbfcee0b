// Brings partitions that nobody here has watched for a while to where the change log is, before anybody believes them:
// what was committed meanwhile must not come back as it was.
import type { ChangedEntry, ChangeLog } from './ports.js';
import type { GuardedPartition, Store } from './store.js';

/** A partition, and how far the store says that the log was carried over to it. */
export type GuardedCursor = GuardedPartition & { readonly cursor: string };

/** Discontinued: the log cannot be continued from the cursor. Moved: guard or cursor no longer hold, or nothing is taken. */
export type CaughtUp = 'caught up' | 'discontinued' | 'moved';

/** Per partition: short enough a script, few enough round-trips. */
export const DROPS_PER_CALL = 250;

/**
 * Drops from the store what is older than the log knows, partition by partition; the cursors stay where they are. However
 * long that takes, what has caught up at the end is good for as long as its epoch stays open.
 * Rejects when Postgres or the store is out of reach.
 */
export async function catchUp(
  store: Store,
  changeLog: ChangeLog,
  cursors: readonly GuardedCursor[],
): Promise<ReadonlyMap<number, CaughtUp>> {
  const outcomes = new Map<number, CaughtUp>();
  for (const cursor of new Set(cursors.map((each) => each.cursor))) {
    const group = cursors.filter((each) => each.cursor === cursor);
    const { entries } = await changeLog.changesSince(
      cursor,
      group.map(({ partition }) => partition),
    );
    for (const { partition, guard } of group) {
      const pending = entries?.filter((entry) => entry.partition === partition);
      outcomes.set(partition, pending ? await drop(store, { partition, guard }, pending) : 'discontinued');
    }
  }
  const caughtUp = cursors.filter(({ partition }) => outcomes.get(partition) === 'caught up');
  for (const { partition } of await refusing(store, caughtUp)) outcomes.set(partition, 'moved');
  return outcomes;
}

/** Trust is earned by a write: a master that answers but takes none would be trusted and doubted in turns. */
async function refusing(store: Store, cursors: readonly GuardedCursor[]): Promise<readonly GuardedCursor[]> {
  const moves = cursors.map(({ cursor, ...where }) => ({ ...where, from: cursor, to: cursor }));
  const taken = moves.length > 0 ? await store.advance(moves) : [];
  return cursors.filter((_, at) => !taken[at]);
}

async function drop(store: Store, where: GuardedPartition, entries: readonly ChangedEntry[]): Promise<CaughtUp> {
  for (let at = 0; at < entries.length; at += DROPS_PER_CALL) {
    const items = entries.slice(at, at + DROPS_PER_CALL).map(({ partition: _, ...item }) => item);
    const [reply] = await store.drop([{ ...where, items }]);
    if (reply?.kind !== 'done') return 'moved';
  }
  return 'caught up';
}
