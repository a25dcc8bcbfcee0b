// Which partitions are believed: nothing that is lost while trust is being learned stays lost.
import { expect, it } from 'vitest';
import { Events } from '../../src/cache/events.js';
import { memoryStore, systemClock } from '../../src/cache/index.js';
import type { ChangeLog } from '../../src/cache/ports.js';
import { Trust } from '../../src/cache/trust.js';
import { eventually } from '../support/eventually.js';

/** A change log in which nothing ever changes. */
function quietChangeLog(): ChangeLog {
  const rows = new Map<number, { partition: number; incarnation: string; epoch: string; generation: string }>();
  let epoch = 0;
  return {
    partitions: async () => [...rows.values()],
    beginGeneration: async (partition, incarnation) => {
      epoch++;
      const row = { partition, incarnation, epoch: String(epoch), generation: String(epoch) };
      rows.set(partition, row);
      return row;
    },
    now: async () => 'cursor',
    changesSince: async (cursor) => ({
      cursor,
      entries: [],
      insertedLsn: 0n,
      flushedLsn: 0n,
      awaited: false,
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
    trust.close();
  }
});
