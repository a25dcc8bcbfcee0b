// Keys that somebody has changed by hand make no partition unreadable: what cannot be read counts as absent, and goes.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { FENCE_GRACE_MS, RENEW_AFTER } from '../../src/cache/store.js';
import { Partition, value } from '../contracts/partition.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

let redis: RedisUnderTest;
let at: Partition;
beforeAll(async () => {
  redis = await openRedisStore(inject('redisUrl'));
  at = await Partition.begin(redis.store, 0);
});
afterAll(() => redis.store.close());

/** More than any machine needs for one test. */
const AGES_MS = 600_000;
const NEIGHBOUR = 'neighbour';
let damaged = 0;
let key: string;
beforeEach(async () => {
  key = `damaged ${++damaged}`;
  await at.filled(NEIGHBOUR, value({ json: '"sound"', version: '5' }));
  await at.filled(key, value({ shape: 'set', members: ['a', 'b'], version: '5' }));
});

/** Both in one batch: the neighbour is answered, the other one is a miss that can be refilled. */
async function expectHealed(): Promise<void> {
  const replies = await at.readAll([key, NEIGHBOUR]);
  expect(replies).toMatchObject([{ kind: 'lease' }, { kind: 'hit', value: '"sound"', version: '5' }]);
  expect(await at.fill(key, `token ${key}`, value({ json: '"again"', version: '5' }))).toBe('filled');
  expect(await at.read(key, 'unused')).toMatchObject({ kind: 'hit', value: '"again"' });
}

const types: Record<string, (name: string) => Promise<unknown>> = {
  string: (name) => redis.cli.set(name, 'by hand'),
  list: (name) => redis.cli.rpush(name, 'by hand'),
};

for (const [type, make] of Object.entries(types)) {
  describe(`an entry that has become a ${type}`, () => {
    beforeEach(async () => {
      await redis.cli.del(redis.key('e', key));
      await make(redis.key('e', key));
    });

    it('is a miss, and its neighbours are read', expectHealed);

    it('is fenced like one that holds nothing', async () => {
      expect(await at.fence([key, NEIGHBOUR], '10', 'w1')).toBe(2);
      expect(await at.publish(key, 'w1', '10', value({ json: '"new"', version: '6' }))).toBe('published');
      expect(await at.value(key)).toBe('"new"');
    });

    it('lets nothing be filled, published or changed under a token of before', async () => {
      const change = { from: '5', version: '6', set: ['c'], remove: [], count: 3 };
      expect(await at.fill(key, 't', value())).toBe('refused');
      await make(redis.key('e', key));
      expect(await at.publish(key, 'w', '10', value({ version: '6' }))).toBe('dropped');
      await make(redis.key('e', key));
      expect(await at.patch(key, 'w', '10', change)).toBe('dropped');
      await make(redis.key('e', key));
      expect(await at.renew(key, 'r')).toBe('refused');
      await expectHealed();
    });

    it('is gone after a drop', async () => {
      const drops = [key, NEIGHBOUR].map((each) => ({ key: each, version: '0', xid: '10' }));
      expect(await at.dropAll(drops)).toEqual(['dropped', 'dropped']);
      expect(await redis.cli.exists(redis.key('e', key), redis.key('d', key))).toBe(0);
    });

    it('shows an onlooker nothing', async () => {
      expect(await at.peek(key)).toBeUndefined();
      expect(await at.inspect(key)).toMatchObject({ state: 'absent', bytes: 0 });
    });
  });

  describe(`members that have become a ${type}`, () => {
    beforeEach(async () => {
      await redis.cli.del(redis.key('d', key));
      await make(redis.key('d', key));
    });

    it('make the entry a miss', expectHealed);

    it('are not peeked at, and not changed singly', async () => {
      expect(await at.peek(key, { kind: 'contains', members: ['a'] })).toBeUndefined();
      await at.fence([key], '11', 'w1');
      const change = { from: '5', version: '6', set: ['c'], remove: [], count: 3 };
      expect(await at.patch(key, 'w1', '11', change)).toBe('dropped');
      await expectHealed();
    });

    it('leave a fence standing', async () => {
      await at.fence([key], '12', 'w1');
      await redis.elapse(0, key, -AGES_MS);
      expect(await at.read(key, 't1')).toEqual({ kind: 'fenced' });
      await redis.elapse(0, key, AGES_MS + FENCE_GRACE_MS + 1);
      expect(await at.read(key, 't2')).toEqual({ kind: 'lease', xids: ['12'] });
    });
  });
}

describe('a field that no script writes', () => {
  for (const field of ['g', 'v', 'c', 's', 'l', 'f', 'n', 'k']) {
    it(`in ${field} makes its entry a miss`, async () => {
      await redis.cli.hset(redis.key('e', key), field, 'x');
      await expectHealed();
    });
  }

  it('in the expiry of a token makes its entry a miss', async () => {
    await redis.cli.hdel(redis.key('e', key), 'value@1');
    await redis.cli.hset(redis.key('e', key), 't', 'held', 'x', 'x');
    await expectHealed();
  });

  it('is nothing to an onlooker', async () => {
    await redis.cli.hset(redis.key('e', key), 'c', 'x', 's', 'x');
    expect(await at.peek(key)).toBeUndefined();
    expect(await at.inspect(key)).toMatchObject({ state: 'fresh', ageMs: 0 });
  });

  it('does not keep an entry from being renewed once it is read again', async () => {
    await redis.elapse(0, key, 60_000 * (RENEW_AFTER + 0.01));
    await redis.cli.hset(redis.key('e', key), 'l', 'x');
    expect(await at.renew(key, 'r1')).toBe('refused');
    await expectHealed();
  });

  it('does not keep a newer version from taking its place', async () => {
    await redis.cli.hset(redis.key('e', key), 'v', 'zzz');
    await at.drop(key, { version: '6', xid: '13' });
    expect(await redis.cli.exists(redis.key('e', key), redis.key('d', key))).toBe(0);
    await expectHealed();
  });
});

describe('a stamp', () => {
  it.each([
    ['that is gone', null],
    ['in another form', '1:by hand'],
    ['of another value', '1:0000000000000000009:5'],
  ])('%s is put right by the next reader', async (_, wrong) => {
    const before = await at.standing(key);
    if (wrong === null) await redis.cli.hdel(redis.key('e', key), 'p');
    else await redis.cli.hset(redis.key('e', key), 'p', wrong);
    const damaged = await at.standing(key).catch((error) => error.kind);
    expect([undefined, 'reply', wrong]).toContain(damaged);
    expect(damaged).not.toBe(before);
    expect(await at.read(key, 't1')).toMatchObject({ kind: 'hit', version: '5' });
    expect(await at.standing(key)).toBe(before);
  });

  it('is not written again where it is right', async () => {
    await redis.cli.watch(redis.key('e', key));
    expect(await at.read(key, 't1')).toMatchObject({ kind: 'hit' });
    expect(await redis.cli.multi().ping().exec()).not.toBeNull(); // as it is where the entry was touched
  });
});

describe('a fence index of another type', () => {
  beforeEach(async () => {
    const index = `{${redis.installation}.0}f`;
    await redis.cli.del(index);
    await redis.cli.set(index, 'by hand');
  });

  it('begins anew with the next fence', async () => {
    expect(await at.fence([key], '20', 'w1')).toBe(1);
    expect(await at.fences()).toEqual([key]);
  });

  it('keeps no fence from ending', async () => {
    expect(await at.drop(key, { version: '6', xid: '20' })).toBe('dropped');
    await expectHealed();
  });

  it('lists nothing', async () => {
    expect(await at.fences()).toEqual([]);
  });
});

describe('a meta of another type', () => {
  it('is a mismatch, told as none, until an epoch is begun', async () => {
    const here = await Partition.begin(redis.store, 1);
    await redis.cli.del(`{${redis.installation}.1}m`);
    await redis.cli.set(`{${redis.installation}.1}m`, 'by hand');
    const items = [{ view: 'note', key: 'k', field: 'value@1', secret: 't' }];
    expect(await redis.store.read([{ ...here.where, items }])).toEqual([{ kind: 'mismatch' }]);
    expect(await here.meta()).toEqual({ incarnation: here.guard.incarnation, stored: undefined });
    expect(await redis.store.begin(1, here.guard, 'anew')).toBe(true);
    expect((await here.read('k', 't')).kind).toBe('lease');
  });

  it('or with an epoch that is none counts as absent too', async () => {
    const here = await Partition.begin(redis.store, 2);
    await redis.cli.hset(`{${redis.installation}.2}m`, 'e', 'zzz');
    expect((await here.meta()).stored).toBeUndefined();
    expect(await redis.store.begin(2, here.guard, 'anew')).toBe(true);
  });
});
