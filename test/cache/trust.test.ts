// Which partitions are believed: nothing that is lost while trust is being learned stays lost.
import { expect, it } from 'vitest';
import { Events } from '../../src/cache/events.js';
import { memoryStore, systemClock } from '../../src/cache/index.js';
import type { ChangeLog, PartitionRow } from '../../src/cache/ports.js';
import { Trust } from '../../src/cache/trust.js';
import { eventually } from '../support/eventually.js';

/** A change log in which nothing ever changes, for a gateway that is alone. */
function quietChangeLog(): ChangeLog {
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

it('trust that is lost at any moment while it is being learned is learned again', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const store = memoryStore({ clock: systemClock, maxBytes: 1_000_000 });
    const events = new Events();
    const trust = new Trust({ store, changeLog: quietChangeLog(), partitions: 2, clock: systemClock, events });
    let lost = false;
    events.on(({ kind }) => {
      if (kind !== 'trusted' || lost) return;
      lost = true;
      let turn = Promise.resolve();
      for (let at = 0; at < turns; at++) turn = turn.then(() => {});
      void turn.then(() => trust.distrust([0], 'A test took it away.'));
    });
    await trust.learn();
    await eventually(() => trust.trusted);
    await new Promise((resolve) => setImmediate(resolve));
    await eventually(() => trust.trusted, 5_000);
    expect(lost).toBe(true);
    await trust.close();
  }
});
