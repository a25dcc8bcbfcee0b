// A Redis that runs out of memory: fences stand and writes are confirmed, values go, and none is answered in part.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { FENCE_GRACE_MS } from '../../src/cache/store.js';
import { Partition, value } from '../contracts/partition.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

let server: RedisServer;
let redis: RedisUnderTest;
let at: Partition;
beforeAll(async () => {
  server = await startRedisServer();
  redis = await openRedisStore(server.url);
  at = await Partition.begin(redis.store, 0);
});
afterAll(async () => {
  await redis.store.close();
  await server.close();
});
afterEach(() => limit(0));

const limit = (bytes: number) => server.cli.config('SET', 'maxmemory', String(bytes));
const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await server.cli.info('memory'))?.[1]);
const all = { kind: 'rows', first: 0, last: -1 } as const;

it('without memory an entry is read, fenced, lifted and dropped, and an epoch begins and advances', async () => {
  await limit(1);
  const here = await Partition.begin(redis.store, 1);
  expect(await here.advance('start', 'next')).toBe(true);
  expect((await here.meta()).stored?.cursor).toBe('next');
  expect((await here.read('a', 't1')).kind).toBe('lease');
  expect(await here.fence(['a'], '1', 'w1')).toBe(1);
  expect(await here.fences()).toEqual(['a']);
  expect(await here.drop('a', { version: '0', xid: '1' })).toBe('dropped');
  expect(await here.fences()).toEqual([]);
});

it('a refill refused for memory stores nothing, and says why', async () => {
  await at.read('fill', 't1');
  await limit(1);
  await expect(at.fill('fill', 't1', value())).rejects.toMatchObject({ kind: 'memory' });
  expect(await at.drop('fill', { version: '0', xid: '0' })).toBe('dropped');
  expect((await at.read('fill', 't2')).kind).toBe('lease');
});

it('a publish refused for memory drops what is older and lifts its fence, so that the write is confirmed', async () => {
  await at.filled('publish', value({ json: '"old"', version: '1' }));
  await at.fence(['publish'], '2', 'w1');
  await limit(1);
  expect(await at.publish('publish', 'w1', '2', value({ json: '"new"', version: '2' }))).toBe('dropped');
  expect(await at.fences()).toEqual([]);
  await limit(0);
  expect(await at.read('publish', 't1')).toEqual({ kind: 'lease', xids: [] });
});

it('a publish refused for memory leaves the fence of another transaction', async () => {
  await at.filled('two', value({ json: '"old"', version: '1' }));
  await at.fence(['two'], '3', 'w1');
  await at.fence(['two'], '4', 'w2');
  await limit(1);
  expect(await at.publish('two', 'w1', '3', value({ json: '"new"', version: '2' }))).toBe('dropped');
  await limit(0);
  await redis.elapse(0, 'two', FENCE_GRACE_MS + 1);
  expect(await at.read('two', 't1')).toEqual({ kind: 'lease', xids: ['4'] });
});

it('a change of single members refused for memory drops what is older', async () => {
  await at.filled('patch', value({ shape: 'set', members: ['a'], version: '1' }));
  await at.fence(['patch'], '5', 'w1');
  await limit(1);
  const change = { from: '1', version: '2', set: ['b'], remove: [], count: 2 };
  expect(await at.patch('patch', 'w1', '5', change)).toBe('dropped');
  await limit(0);
  expect((await at.read('patch', 't1')).kind).toBe('lease');
});

it('a partition that is refused for memory says nothing of the others in its call', async () => {
  const here = await Partition.begin(redis.store, 2);
  await at.fence(['mine'], '6', 'w1');
  await limit(1);
  const item = { view: 'note', key: 'mine', ...value({ version: '2' }), token: at.token('mine', 'w1'), xid: '6' };
  const other = here.under({ ...here.guard, epoch: '99' });
  const batches = [at, other].map(({ where }) => ({ ...where, items: [item] }));
  expect(await redis.store.publish(batches)).toEqual([{ kind: 'done', replies: ['dropped'] }, { kind: 'mismatch' }]);
});

it('entries or members that are evicted apart from each other are never answered in part, and no fence goes', async () => {
  const rows = Array.from({ length: 20 }, (_, row) => JSON.stringify({ row, text: 'x'.repeat(200) }));
  const fenced = Array.from({ length: 20 }, (_, index) => `fenced ${index}`);
  await at.fence(fenced, '7', 'w1');
  await limit((await usedBytes()) + 600_000);
  const keys = Array.from({ length: 300 }, (_, index) => `evicted ${index}`);
  for (const key of keys) {
    await at.read(key, `t ${key}`);
    // Refused where nothing could be evicted just then, or where the lease was evicted.
    await at.fill(key, `t ${key}`, value({ members: rows })).catch(() => 'refused');
  }
  let hits = 0;
  for (const key of keys) {
    const reply = await at.read(key, 'unused', { part: all });
    if (reply.kind !== 'hit') continue;
    hits++;
    expect(reply.members).toEqual(rows);
  }
  expect(hits).toBeGreaterThan(0);
  expect(hits).toBeLessThan(keys.length);
  expect(Number(/evicted_keys:(\d+)/.exec(await server.cli.info('stats'))?.[1])).toBeGreaterThan(0);
  expect(await at.fences()).toEqual(expect.arrayContaining(fenced));
});
