// What the relay remembers of one session of Postgres does not count in the next: the server may have crashed in between,
// and may give the same numbers to other changes.
import { expect, it } from 'vitest';
import { Events } from '../../src/cache/events.js';
import { memoryStore, systemClock } from '../../src/cache/index.js';
import type { ChangedEntry } from '../../src/cache/ports.js';
import { Relay } from '../../src/cache/relay.js';
import type { Store } from '../../src/cache/store.js';
import { Trust } from '../../src/cache/trust.js';
import { quietChangeLog } from '../support/quiet-change-log.js';

it('what a session that was lost in the middle of a look has shown is dropped again when the next one shows it', async () => {
  const dropped: string[] = [];
  const memory = memoryStore({ clock: systemClock, maxBytes: 1_000_000 });
  const store: Store = {
    ...memory,
    drop: (batches) => {
      for (const { items } of batches) dropped.push(...items.map(({ key, version }) => `${key}@${version}`));
      return memory.drop(batches);
    },
  };
  const changed: ChangedEntry = { partition: 0, view: 'note', key: 'a', version: '7', xid: '100' };
  let session = 'first';
  let begun = 0;
  const changeLog = {
    ...quietChangeLog(),
    now: async () => `partition ${begun++}`, // so that each partition is looked at by itself
    changesSince: async (cursor: string, partitions: readonly number[]) => ({
      cursor: `${cursor}, later`,
      entries: session !== '' && partitions.includes(changed.partition) ? [changed] : [],
      insertedLsn: 2n,
      flushedLsn: 1n, // so that the same changes show in the next look
      awaited: false,
      session,
    }),
  };
  const events = new Events();
  session = '';
  const shared = { store, changeLog, partitions: 2, clock: systemClock, events };
  const trust = new Trust(shared);
  await trust.learn();
  const relay = new Relay({ ...shared, trust, leads: async () => true });
  session = 'first';
  await relay.catchUp();
  expect(dropped).toEqual(['a@7']);
  await relay.catchUp();
  expect(dropped).toEqual(['a@7']);

  const { changesSince } = changeLog;
  changeLog.changesSince = async (cursor, partitions) => {
    const look = await changesSince(cursor, partitions);
    if (partitions.includes(changed.partition)) session = 'second';
    return look;
  };
  await relay.catchUp();
  await relay.catchUp();
  expect(dropped).toEqual(['a@7', 'a@7']);
  await trust.close();
});
