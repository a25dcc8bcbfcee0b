// What listens to the engine must not be able to break it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CacheEvent, Events } from '../../src/cache/events.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { writeNote } from '../support/writing.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({ partitions: 2 });
  await createNotes(database);
});
afterAll(() => database.close());

const throwing = () => {
  throw new Error('from a listener');
};

it('a listener that throws keeps no other one from hearing', () => {
  const events = new Events();
  const heard: CacheEvent[] = [];
  events.on(throwing);
  events.on((event) => heard.push(event));
  events.emit({ kind: 'trusted', partitions: [0] });
  expect(heard).toEqual([{ kind: 'trusted', partitions: [0] }]);
});

it('with a listener that throws, the engine learns to trust, reads, writes and carries over as without it', async () => {
  const gateway = await openGateway(database, { start: false });
  gateway.cache.events.on(throwing);
  await gateway.cache.start(10_000);
  await eventually(() => gateway.cache.status().trusted);
  expect(await writeNote(gateway, 'a', 'written')).toBe(true);
  expect(await gateway.note('a')).toBe('written');
  await database.psql`UPDATE notes SET text = 'edited' WHERE key = 'a'`;
  await eventually(async () => (await gateway.note('a')) === 'edited');
  await gateway.close();
});
