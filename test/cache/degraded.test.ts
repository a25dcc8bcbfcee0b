// While no gateway reaches Redis, writes go on: they close the partitions that they cannot fence, and are acknowledged
// once nobody can still believe what stands there.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheUnavailable, partitionOf } from '../../src/cache/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';

let redis: RedisServer;
let database: TestDatabase;
let one: Gateway;
let two: Gateway;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());
beforeEach(async () => {
  database = await createDatabase({ partitions: 4 });
  await createNotes(database);
  [one, two] = [await open(), await open()];
  expect(await writeNote(one, 'a', 'old')).toBe(true);
  for (const gateway of both()) await eventually(() => hits(gateway, 'old'));
});
afterEach(async () => {
  await redis.thaw();
  await Promise.all([one.close(), two.close()]);
  await database.close();
});

const open = () => openGateway(database, { redisUrl: redis.url, timeoutMs: 500 });
const both = () => [one, two];

/** Whether the gateway answers this text out of the store. */
async function hits(gateway: Gateway, text: string): Promise<boolean> {
  gateway.story.clear();
  expect(await gateway.note('a')).toBe(text);
  return gateway.story.of('note', 'a').at(-1) === 'hit';
}

const doubted = (gateway: Gateway) =>
  eventually(async () => {
    await gateway.note('a');
    return !gateway.cache.status().trusted;
  });

const rowOfA = async () => {
  const partition = partitionOf('note', 'a', database.partitions);
  const [row] = await database.psql<{ epoch: string; open: boolean; generation: string }[]>`
    SELECT epoch::text, open, generation::text FROM entry_partition WHERE partition = ${partition}`;
  return row;
};

describe('while no gateway reaches Redis', () => {
  beforeEach(async () => {
    await redis.freeze();
    await Promise.all(both().map(doubted));
  });
  const written = () => eventually(() => writeNote(one, 'a', 'new').catch(() => false), 20_000);

  it('a write closes its partition, is acknowledged, and is what both gateways answer', async () => {
    const before = await rowOfA();
    await written();
    expect(await rowOfA()).toEqual({ ...before, epoch: String(Number(before?.epoch) + 1), open: false });
    for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
  });

  it('only the first write closes; the next ones find it closed and wait for nobody', async () => {
    await written();
    const closed = await rowOfA();
    expect(await writeNote(one, 'a', 'newer')).toBe(true);
    await eventually(() => writeNote(two, 'a', 'newest'));
    expect(await rowOfA()).toEqual(closed);
    for (const gateway of both()) expect(await gateway.note('a')).toBe('newest');
  });

  it('those that come after do not wait for each other, in one partition too', async () => {
    await written();
    const sameAs = (partition: number) => (key: string) => partitionOf('note', key, database.partitions) === partition;
    const keys = Array.from({ length: 40 }, (_, at) => `b${at}`);
    const [other = ''] = keys.filter(sameAs(partitionOf('note', 'a', database.partitions)));
    const first = await beginWriting(one, 'a', 'newer');
    await first.fence();
    await eventually(() => writeNote(two, other, 'beside it').catch(() => false), 20_000);
    await first.commit();
    expect(await first.settle()).toBe(true);
  });

  it('what Redis still holds when it is back is not answered, and what did not change is kept', async () => {
    await written();
    const { generation } = (await rowOfA()) ?? {};
    await redis.thaw();
    for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
    await eventually(() => both().every(({ cache }) => cache.status().trusted));
    for (const gateway of both()) await eventually(() => hits(gateway, 'new'));
    expect(await rowOfA()).toMatchObject({ open: true, generation });
  });

  it('a partition is not opened before the write that closed it has ended', async () => {
    await written();
    const writing = await beginWriting(one, 'a', 'newer');
    await writing.fence();
    await redis.thaw();
    await eventually(async () => (await two.store.meta([0]))[0] !== undefined);
    for (let looks = 0; looks < 3; looks++) {
      const look = two.atLease.close('renew');
      await look.reached;
      look.open();
    }
    expect(await rowOfA()).toMatchObject({ open: false });
    expect(await two.note('a')).toBe('new');
    await writing.commit();
    expect(await writing.settle()).toBe(true);
    for (const gateway of both()) expect(await gateway.note('a')).toBe('newer');
    for (const gateway of both()) await eventually(() => hits(gateway, 'newer'));
  });
});

it('a gateway that does not reach Redis while another does refuses to write, and asks to try again', async () => {
  const cut = await openGateway(database, { redisUrl: 'redis://127.0.0.1:1', start: false });
  await cut.cache.start(200);
  const writing = await beginWriting(cut, 'a', 'never');
  const refusal = await writing.fence().catch((error) => error);
  expect(refusal).toBeInstanceOf(CacheUnavailable);
  expect(refusal.code).toBe('CACHE_UNREACHABLE');
  await writing.rollback();
  expect(await rowOfA()).toMatchObject({ open: true });
  for (const gateway of both()) expect(await hits(gateway, 'old')).toBe(true);
  await cut.close();
});

it('a write whose confirmation is lost after COMMIT closes its partition, and is acknowledged', async () => {
  const writing = await beginWriting(one, 'a', 'new');
  await writing.fence();
  await writing.commit();
  await redis.freeze();
  const { epoch } = (await rowOfA()) ?? {};
  expect(await writing.settle()).toBe(true);
  expect(Number((await rowOfA())?.epoch)).toBeGreaterThan(Number(epoch));
  for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
  await redis.thaw();
  for (const gateway of both()) await eventually(() => hits(gateway, 'new'));
});
