// What the store draws for tokens and fences is drawn once: not again in a later epoch, nor in the same one after Redis has
// lost its meta. Else a request that is carried out late a second time could take a slot back under the token of the first.
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { fenceOf, type Guard } from '../../src/cache/store.js';
import { openRedisStore, type RedisUnderTest } from '../support/redis-store.js';

const XID = '7';
let redis: RedisUnderTest;
let incarnation: string;

beforeEach(async () => {
  redis = await openRedisStore(inject('redisUrl'));
  incarnation = (await redis.store.meta([0]))[0]?.incarnation ?? '';
});
afterEach(() => redis.store.close());

const guardOf = (epoch: number): Guard => ({ incarnation, epoch: String(epoch), generation: '1' });

/** The token that a fence gets of a request that is the same each time. */
async function fenced(epoch: number): Promise<string> {
  const items = [{ view: 'note', key: 'a' }];
  const [reply] = await redis.store.fence([{ partition: 0, guard: guardOf(epoch), items }], XID, 'secret');
  const token = reply?.kind === 'done' ? reply.replies[0] : undefined;
  if (token === undefined) throw new Error('It was not fenced.');
  return token;
}

it('an epoch goes on drawing where the last one has stopped', async () => {
  expect(await redis.store.begin(0, guardOf(1), 'start')).toBe(true);
  const first = [await fenced(1), await fenced(1)];
  expect(await redis.store.begin(0, guardOf(2), 'start')).toBe(true);
  const second = [await fenced(2), await fenced(2)];
  expect(new Set([...first, ...second].map((token) => fenceOf(XID, token))).size).toBe(4);
});

it('the same epoch, begun once more after its meta was lost, does not draw again what it drew', async () => {
  expect(await redis.store.begin(0, guardOf(1), 'start')).toBe(true);
  const before = [await fenced(1), await fenced(1)];
  await redis.cli.del(`{${redis.installation}.0}m`);
  expect(await redis.store.begin(0, guardOf(1), 'start')).toBe(true);
  const after = [await fenced(1), await fenced(1)];
  expect(after.some((token) => before.includes(token))).toBe(false);
});

it('a count that nobody can have drawn is not gone on with', async () => {
  expect(await redis.store.begin(0, guardOf(1), 'start')).toBe(true);
  await redis.cli.hset(`{${redis.installation}.0}m`, 'n', '9'.repeat(30));
  expect(await redis.store.begin(0, guardOf(2), 'start')).toBe(true);
  expect(await fenced(2)).not.toBe(await fenced(2));
});
