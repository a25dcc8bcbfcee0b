// Values of many members: put aside in chunks, between which Redis answers others, and shown whole or not at all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardArgs, valueArgs } from '../../src/cache/redis-arguments.js';
import { redisKeys } from '../../src/cache/redis-keys.js';
import { run, scripts } from '../../src/cache/scripts.js';
import type { Guard } from '../../src/cache/store.js';
import type { Shape } from '../../src/cache/view.js';
import { Partition, value } from '../contracts/partition.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

const MEMBERS = 200_000;

let server: RedisServer;
let redis: RedisUnderTest;
let at: Partition;
let partitions = 0;
beforeAll(async () => {
  server = await startRedisServer();
  redis = await openRedisStore(server.url);
  at = await Partition.begin(redis.store, partitions++);
});
afterAll(async () => {
  await redis.store.close();
  await server.close();
});

const large = (shape: Shape, count = MEMBERS) => {
  const members = Array.from({ length: count }, (_, at) => `member ${at}`);
  return value({ shape, members: shape === 'hash' ? members.flatMap((name) => [name, '1']) : members });
};

/** What lies aside at the moment. */
const aside = (partition = 0) => redis.cli.keys(`{${redis.installation}.${partition}}s:*`);

/** Resolves as soon as something lies aside. */
const somethingAside = (partition = 0) => eventually(async () => (await aside(partition))[0], 30_000);

async function whileUnderWay<Reply>(work: Promise<Reply>, act: () => Promise<unknown>): Promise<[Reply, number]> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  let times = 0;
  while (!done) {
    await act();
    if (!done) times++;
  }
  return [await settled, times];
}

for (const shape of ['set', 'hash', 'list'] as const) {
  it(`a ${shape} of 200,000 members is filled while others are read, and is a miss until all of it is there`, async () => {
    const key = `large ${shape}`;
    await at.filled('small', value({ json: '"small"' }));
    await at.read(key, 't1');
    const [reply, reads] = await whileUnderWay(at.fill(key, 't1', large(shape)), async () => {
      const [own, other] = await at.readAll([key, 'small']);
      expect(other).toMatchObject({ kind: 'hit', value: '"small"' });
      if (own?.kind === 'hit') expect(own.count).toBe(MEMBERS);
      else expect(own).toEqual({ kind: 'busy' });
    });
    expect(reply).toBe('filled');
    expect(reads).toBeGreaterThan(50);
    const part = {
      set: { kind: 'contains', members: ['member 0', 'member 199999', 'no'] },
      hash: { kind: 'fields', names: ['member 0', 'member 199999', 'no'] },
      list: { kind: 'rows', first: MEMBERS - 1, last: -1 },
    } as const;
    const members = shape === 'list' ? ['member 199999'] : ['1', '1', shape === 'set' ? '0' : null];
    expect(await at.part(key, part[shape])).toEqual({ members, count: MEMBERS });
    expect(await aside()).toEqual([]);
  });
}

it('a publish of a large value ends its fence, and nothing is left aside', async () => {
  await at.fence(['publish'], '1', 'w1');
  expect(await at.publish('publish', 'w1', '1', large('set', 20_000))).toBe('published');
  expect(await at.part('publish', { kind: 'contains', members: ['member 7'] })).toEqual({
    members: ['1'],
    count: 20_000,
  });
  expect(await at.fences()).toEqual([]);
  expect(await aside()).toEqual([]);
});

it('several large values of one call are stored each by itself', async () => {
  const keys = ['several 1', 'several 2', 'several 3'];
  await at.readAll(keys);
  const items = keys.map((key, index) => ({
    view: 'note',
    key,
    token: at.token(key, `token ${key}`),
    ...large('set', [20_000, 10, 7_000][index]),
  }));
  const [filled] = await redis.store.fill([{ ...at.where, items }]);
  expect(filled?.kind === 'done' && filled.replies).toEqual(Array(3).fill(expect.any(String)));
  const counts = await Promise.all(keys.map((key) => at.part(key, { kind: 'contains', members: [] })));
  expect(counts.map(({ count }) => count)).toEqual([20_000, 10, 7_000]);
});

describe('a chunk that is lost', () => {
  it('keeps a refill from being taken; the next reader gets the lease', async () => {
    await at.read('lost', 't1');
    const filling = at.fill('lost', 't1', large('set'));
    await redis.cli.del(await somethingAside());
    expect(await filling).toBe('refused');
    expect(await at.read('lost', 't2')).toEqual({ kind: 'lease', xids: [] });
    expect(await aside()).toEqual([]);
  });

  it('in part keeps a refill from being taken, too', async () => {
    await at.read('part', 't1');
    const filling = at.fill('part', 't1', large('set'));
    await redis.cli.srem(await somethingAside(), 'member 3');
    expect(await filling).toBe('refused');
  });

  it('makes a publish drop what is older', async () => {
    await at.filled('drop', value({ shape: 'set', members: ['old'], version: '1' }));
    await at.fence(['drop'], '2', 'w1');
    const publishing = at.publish('drop', 'w1', '2', { ...large('set'), version: '2' });
    await redis.cli.del(await somethingAside());
    expect(await publishing).toBe('dropped');
    expect(await at.read('drop', 't1')).toEqual({ kind: 'lease', xids: [] });
  });
});

it('an epoch that begins between two chunks keeps everything out, and what lies aside goes by itself', async () => {
  const here = await Partition.begin(redis.store, partitions++);
  await here.read('epoch', 't1');
  const items = [{ view: 'note', key: 'epoch', token: here.token('epoch', 't1'), ...large('set') }];
  const filling = redis.store.fill([{ ...here.where, items }]);
  const name = await somethingAside(here.partition);
  const next = await here.next();
  expect(await filling).toEqual([{ kind: 'mismatch' }]);
  expect((await next.read('epoch', 't2')).kind).toBe('lease');
  expect(await redis.cli.pttl(name)).toBeGreaterThan(0);
});

it('memory that ends between two chunks refuses a refill, and makes a publish drop what is older', async () => {
  await at.read('memory', 't1');
  const filling = at.fill('memory', 't1', large('set')).catch((error) => error);
  await somethingAside();
  await redis.cli.config('SET', 'maxmemory', '1');
  expect(await filling).toMatchObject({ kind: 'memory' });
  await redis.cli.config('SET', 'maxmemory', '0');
  await at.fence(['memory'], '3', 'w1');
  const publishing = at.publish('memory', 'w1', '3', large('set'));
  await somethingAside();
  await redis.cli.config('SET', 'maxmemory', '1');
  expect(await publishing).toBe('dropped');
  await redis.cli.config('SET', 'maxmemory', '0');
  expect(await at.fences()).toEqual([]);
});

it('a token that is taken away ends the work on its value', async () => {
  await at.read('taken', 't1');
  const filling = at.fill('taken', 't1', large('set'));
  await somethingAside();
  await at.fence(['taken'], '5', 'w1');
  expect(await filling).toBe('refused');
  expect(['fenced', 'lease']).toContain((await at.read('taken', 't2')).kind);
  expect(await aside()).toEqual([]);
});

it('a change of more single members than one script may store drops what is older', async () => {
  await at.filled('change', value({ shape: 'set', members: ['a'], version: '1' }));
  await at.fence(['change'], '4', 'w1');
  const set = Array.from({ length: 6_000 }, (_, at) => `more ${at}`);
  expect(await at.patch('change', 'w1', '4', { from: '1', version: '2', set, remove: [], count: 6_001 })).toBe(
    'dropped',
  );
  expect((await at.read('change', 't1')).kind).toBe('lease');
});

describe('the scripts', () => {
  const keys = () => redisKeys(redis.installation);
  const stage = async (guard: Guard, token: string, before: number, members: readonly string[]) => {
    const args = [...guardArgs(guard), at.token(token, token), 1_000, 10_000, 'set', before, ...members];
    const names = [keys().meta(0), keys().staged(0, token), redis.key('e', token)];
    return (await run(redis.cli, [{ script: scripts.stage, keys: names, args }]))[0];
  };
  const fill = async (token: string, count: number) => {
    const item = { view: 'note', key: token, ...large('set', count) };
    const [entry = '', members = ''] = keys().entries(0, [item]);
    const names = [keys().meta(0), keys().fences(0), entry, members, keys().staged(0, token)];
    const args = [...guardArgs(at.guard), 1, at.token(token, token), ...valueArgs(item, names.length)];
    return (await run(redis.cli, [{ script: scripts.fill, keys: names, args }]))[0];
  };

  it('put nothing in place of which a member is missing after the last chunk', async () => {
    await at.read('short', 'short');
    expect(await stage(at.guard, 'short', 0, ['a', 'b'])).toEqual(['done', 'staged']);
    expect(await stage(at.guard, 'short', 2, ['c'])).toEqual(['done', 'staged']);
    await redis.cli.srem(keys().staged(0, 'short'), 'a');
    expect(await fill('short', 3)).toEqual(['done', null]);
    expect(await at.read('short', 't2')).toEqual({ kind: 'lease', xids: [] });
  });

  it('put in place what is there whole', async () => {
    await at.read('whole', 'whole');
    expect(await stage(at.guard, 'whole', 0, ['a', 'b'])).toEqual(['done', 'staged']);
    expect(await fill('whole', 2)).toEqual(['done', expect.stringMatching(/^1:\d{19}:\d+$/)]);
    expect(await at.part('whole', { kind: 'contains', members: ['a', 'c'] })).toEqual({
      members: ['1', '0'],
      count: 2,
    });
  });

  it('put nothing aside under a guard that does not hold', async () => {
    await at.read('other', 'other');
    expect(await stage({ ...at.guard, epoch: '99' }, 'other', 0, ['a'])).toEqual(['mismatch']);
    expect(await redis.cli.exists(keys().staged(0, 'other'))).toBe(0);
  });
});
