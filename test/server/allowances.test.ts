// What gateways share through Redis beside the cache: token buckets by the clock of Redis.

import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connectRedis, type RedisConnections, redisAllowances } from '../../src/cache/index.js';

let redis: RedisConnections;
beforeAll(async () => {
  redis = await connectRedis(inject('redisUrl'));
});
afterAll(() => redis.servers.close());

let serial = 0;
const drawOf = (overrides: object = {}) => ({
  key: 'a',
  cost: 1,
  perSecond: 0.001, // nothing comes back while a test runs
  burst: 10,
  granted: false,
  ...overrides,
});
const opened = () =>
  redisAllowances({
    ...redis,
    installation: `allowances-${process.pid}-${serial++}`,
    partitions: 16,
    timeoutMs: 10_000,
  });

it('grants exactly the burst, all or nothing', async () => {
  const draw = opened();
  const taken = async (cost: number) => (await draw([drawOf({ cost })]))[0]?.taken;
  expect([await taken(4), await taken(7), await taken(6), await taken(1)]).toEqual([true, false, true, false]);
});

it('draws many in one go, each by itself, whatever their partitions', async () => {
  const draw = opened();
  const draws = Array.from({ length: 50 }, (_, at) => drawOf({ key: `k${at}`, cost: at % 2 ? 11 : 10 }));
  expect((await draw(draws)).map(({ taken }) => taken)).toEqual(draws.map(({ cost }) => cost === 10));
});

it('counts what was granted elsewhere as debt, of one burst at most', async () => {
  const draw = opened();
  const left = async (cost: number, granted: boolean) =>
    Math.round((await draw([drawOf({ cost, granted })]))[0]?.left ?? 0);
  expect([await left(8, true), await left(8, true), await left(1, false), await left(100, true)]).toEqual([
    2, -6, -6, -10,
  ]);
});

it('gives back over time', async () => {
  const draw = opened();
  const fast = { perSecond: 1_000, burst: 10 };
  await draw([drawOf({ ...fast, cost: 10, granted: true })]);
  await expect
    .poll(async () => (await draw([drawOf({ ...fast, cost: 10 })]))[0]?.taken, { timeout: 10_000 })
    .toBe(true);
});
