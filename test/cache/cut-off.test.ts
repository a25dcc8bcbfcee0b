// A gateway that is cut off from Postgres cannot hear that the others have moved on to another Redis: it believes its
// own no longer than its lease lasts, and they wait for that.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TRUST_LEASE_MS } from '../../src/cache/lease.js';
import { type TestClock, testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { writeNote } from '../support/writing.js';

let master: RedisServer;
let database: TestDatabase;
let time: TestClock;
let cutOff: Gateway;

beforeEach(async () => {
  master = await startRedisServer();
  database = await createDatabase({ partitions: 2 });
  await createNotes(database);
  time = testClock();
  cutOff = await openGateway(database, { redisUrl: master.url, clock: time });
  expect(await writeNote(cutOff, 'a', 'old')).toBe(true);
  await eventually(hits);
});
afterEach(async () => {
  await cutOff.close();
  await database.close();
  await master.close();
});

/** Whether it answers out of its store. */
async function hits(): Promise<boolean> {
  await cutOff.note('a');
  return cutOff.story.of('note', 'a').at(-1) === 'hit';
}

it('a gateway believes its store for as long as its lease lasts, and reads SQL after that', async () => {
  const renewal = cutOff.atLease.close('renew');
  await renewal.reached;
  expect(await hits()).toBe(true);
  time.skip(TRUST_LEASE_MS);
  expect(await hits()).toBe(false);
  expect(cutOff.cache.status().trusted).toBe(false);
  renewal.open();
  await eventually(hits);
});

it('an answer that was asked for before the lease ended, and came after, is not believed', async () => {
  const renewal = cutOff.atLease.close('renew');
  await renewal.reached;
  const answered = cutOff.atStore.close('read', 'after');
  const reading = cutOff.note('a');
  await answered.reached;
  time.skip(TRUST_LEASE_MS);
  cutOff.story.clear();
  answered.open();
  expect(await reading).toBe('old');
  expect(cutOff.story.of('note', 'a')).toEqual(['loaded', 'bypass']);
  renewal.open();
});

it('a promoted replica is trusted only when the gateway left with the old master believes it no more', async () => {
  const replica = await startRedisServer(['--replicaof', `127.0.0.1 ${master.port}`]);
  await eventually(async () => /master_link_status:up/.test(await replica.cli.info('replication')));
  const renewal = cutOff.atLease.close('renew');
  await renewal.reached;
  await replica.cli.replicaof('NO', 'ONE');

  const other = await openGateway(database, { redisUrl: replica.url, start: false });
  void other.cache.start(60_000);
  await other.story.until('trusted');
  expect(await hits()).toBe(false);
  expect(await writeNote(other, 'a', 'new')).toBe(true);
  expect(await cutOff.note('a')).toBe('new');
  expect((await master.cli.keys('*e:note:a')).length).toBe(1);
  renewal.open();
  await other.close();
  await replica.close();
});
