// Both stores keep the contract that the engine relies on; below, what only Redis can be exposed to.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { memoryStore, type Store, systemClock } from '../../src/cache/index.js';
import { Partition, value } from '../contracts/partition.js';
import { storeContract } from '../contracts/store.js';
import { testClock } from '../support/clock.js';
import { startRedisServer } from '../support/redis.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

describe('the in-process store', () => {
  storeContract(async () => {
    const clock = testClock({ still: true });
    const store = memoryStore({ clock, maxBytes: 64 * 1024 * 1024 });
    return { store, elapse: async (_partition, _key, ms) => clock.skip(ms) };
  });

  it('stays within its bound, and never gives up a fence for it', async () => {
    const store = memoryStore({ clock: testClock({ still: true }), maxBytes: 20_000 });
    const at = await Partition.begin(store, 0);
    const large = value({ json: JSON.stringify('x'.repeat(1_000)) });
    await at.fence(['fenced'], '1', 'w1');
    const keys = Array.from({ length: 50 }, (_, index) => `large ${index}`);
    for (const key of keys) await at.filled(key, large);
    const hits = (await at.readAll(keys)).filter(({ kind }) => kind === 'hit');
    expect(hits.length).toBeGreaterThan(0);
    expect(hits.length).toBeLessThanOrEqual(10);
    expect(await at.read('fenced', 't1')).toEqual({ kind: 'fenced' });
  });

  it('answers without an entry that alone is larger than the bound', async () => {
    const store = memoryStore({ clock: systemClock, maxBytes: 20_000 });
    const at = await Partition.begin(store, 0);
    await at.read('huge', 't1');
    await at.fill('huge', 't1', value({ json: JSON.stringify('x'.repeat(30_000)) }));
    expect(await at.read('huge', 't2')).toEqual({ kind: 'lease', xids: [] });
  });
});

describe('Redis', () => {
  storeContract(() => openRedisStore(inject('redisUrl')));

  describe('that is asked again and again what stands', () => {
    storeContract(async () => {
      const { store, ...under } = await openRedisStore(inject('redisUrl'));
      const standing: Store['standing'] = async (batches) => {
        const told = [];
        for (let times = 0; times < 4; times++) told.push(await store.standing(batches));
        for (const each of told) expect(each).toEqual(told[0]);
        return told[0] ?? [];
      };
      return { ...under, store: { ...store, standing } };
    });
  });

  let redis: RedisUnderTest;
  let at: Partition;
  beforeAll(async () => {
    redis = await openRedisStore(inject('redisUrl'));
    at = await Partition.begin(redis.store, 0);
  });
  afterAll(() => redis.store.close());

  it('sends a script again, whole, when the server has forgotten it', async () => {
    const server = await startRedisServer(); // the run's would forget what other tests count on
    const { store } = await openRedisStore(server.url);
    const here = await Partition.begin(store, 0);
    await here.filled('forgotten', value({ json: '"a"' }));
    await server.cli.script('FLUSH');
    expect(await here.value('forgotten')).toBe('"a"');
    await server.cli.script('FLUSH');
    await here.fence(['forgotten'], '5', 'w1');
    await server.cli.script('FLUSH');
    expect(await here.publish('forgotten', 'w1', '5', value({ json: '"b"', version: '2' }))).toBe('published');
    expect(await here.value('forgotten')).toBe('"b"');
    await store.close();
    await server.close();
  });

  it('counts a hash or a set that has lost a member as a miss, and changes no single member of it', async () => {
    for (const shape of ['hash', 'set'] as const) {
      await at.filled(`half ${shape}`, value({ shape, members: ['a', '1', 'b', '2'] }));
      if (shape === 'hash') await redis.cli.hdel(redis.key('d', `half ${shape}`), 'a');
      else await redis.cli.srem(redis.key('d', `half ${shape}`), 'a');
      await at.fence([`half ${shape}`], '7', 'w1');
      const change = { from: '1', version: '2', set: ['c', '3'], remove: [], count: shape === 'hash' ? 2 : 5 };
      expect(await at.patch(`half ${shape}`, 'w1', '7', change)).toBe('dropped');
      expect((await at.read(`half ${shape}`, 't1')).kind).toBe('lease');
    }
  });

  it('counts a list that has lost a member as a miss', async () => {
    await at.filled('lost', value({ members: ['"1"', '"2"'] }));
    await redis.cli.lpop(redis.key('d', 'lost'));
    expect(await at.peek('lost', { kind: 'rows', first: 0, last: -1 })).toBeUndefined();
    expect(await at.read('lost', 't1', { part: { kind: 'rows', first: 0, last: 0 } })).toEqual({
      kind: 'lease',
      xids: [],
    });
    await at.fill('lost', 't1', value({ members: ['"1"', '"2"'] }));
    expect(await at.page('lost', 0, -1)).toEqual(['"1"', '"2"']);
  });

  it('counts a list whose members were evicted as a miss', async () => {
    await at.filled('evicted', value({ members: ['"1"', '"2"'] }));
    await redis.cli.del(redis.key('d', 'evicted'));
    expect(await at.read('evicted', 't1', { part: { kind: 'rows', first: 0, last: 0 } })).toEqual({
      kind: 'lease',
      xids: [],
    });
  });

  it('keeps nothing without a time to live but fences, their index and the meta', async () => {
    await at.filled('kept', value({ members: ['"1"'] }));
    await at.read('kept-lease', 't1');
    await at.filled('kept-fence', value());
    await at.fence(['kept-fence'], '6', 'w1');
    await at.drop('kept-fence', { version: '0', xid: '6' });
    const keys = await redis.cli.keys(`${redis.key('', '')}*`);
    const lasting: string[] = [];
    for (const key of keys) if ((await redis.cli.pttl(key)) === -1) lasting.push(key);
    expect(lasting.filter((key) => !key.endsWith('}m') && !key.endsWith('}f'))).toEqual([]);
  });

  it('keeps all keys of a partition under one hash tag', async () => {
    await at.filled('a}b{c', value({ members: ['"1"'] }));
    await at.fence(['{d}'], '7', 'w1');
    const keys = await redis.cli.keys(`*${redis.installation}.0}*`);
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(key.startsWith(`{${redis.installation}.0}`)).toBe(true);
  });

  it('does nothing once the meta key is gone', async () => {
    const here = await Partition.begin(redis.store, 1);
    await here.filled('gone', value());
    await redis.cli.del(`{${redis.installation}.1}m`);
    await expect(here.read('gone', 't1')).rejects.toThrow('guard');
    await expect(here.fence(['gone'], '8', 'w1')).rejects.toThrow('guard');
    expect((await here.meta()).stored).toBeUndefined();
  });

  it('says of each partition that it is out of reach, at once, when its connection is closed', async () => {
    const closed = await openRedisStore(inject('redisUrl'));
    const here = await Partition.begin(closed.store, 0);
    await closed.store.close();
    expect(await closed.store.meta([0, 1])).toEqual([undefined, undefined]);
    const batch = { ...here.where, items: [{ view: 'note', key: 'k', field: 'value@1', secret: 't' }] };
    const unavailable = { kind: 'unavailable', error: { code: 'CACHE_UNREACHABLE', kind: 'connection' } };
    expect(await closed.store.read([batch, batch])).toMatchObject([unavailable, unavailable]);
    expect(await here.advance('start', 'next')).toBe(false);
    await expect(closed.store.begin(0, here.guard, 'start')).rejects.toMatchObject(unavailable.error);
    await expect(here.peek('k')).rejects.toMatchObject(unavailable.error);
  });
});
