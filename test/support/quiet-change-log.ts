// A change log without a database, for tests that say themselves what it shows.
import type { ChangeLog, PartitionRow } from '../../src/cache/ports.js';

/** A change log in which nothing ever changes, for a gateway that is alone. */
export function quietChangeLog(): ChangeLog {
  const rows = new Map<number, PartitionRow>();
  let turn = 0n;
  return {
    partitions: async () => [...rows.values()],
    renew: async () => ({ rows: [...rows.values()], others: [], began: ++turn, ended: ++turn }),
    closeEpoch: async ({ partition }) => {
      const epoch = String(Number(rows.get(partition)?.epoch ?? 0) + 1);
      rows.set(partition, { partition, incarnation: '', epoch, generation: epoch, open: false });
      return true;
    },
    openEpoch: async (opening) => {
      rows.set(opening.partition, { ...opening, open: true });
      return true;
    },
    now: async () => 'cursor',
    changesSince: async (cursor) => ({
      cursor,
      entries: [],
      insertedLsn: 0n,
      flushedLsn: 0n,
      awaited: false,
      session: 'one',
    }),
    recordCovered: async () => {},
    ended: async () => new Set(),
  };
}
