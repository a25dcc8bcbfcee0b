// What a start demands of its servers: one store for all gateways of a database, a Redis that keeps what it is told to
// keep, and nothing more: a Redis out of reach is waited for while SQL answers.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { UnsuitableRedis } from '../src/cache/index.js';
import { ForeignStore } from '../src/store.js';
import { type Api, type ApiOptions, startApi } from './support/api.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { eventually } from './support/eventually.js';
import { type RedisServer, startRedisServer } from './support/redis.js';
import { openWire } from './support/wire.js';

let database: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
  [database, redis] = await Promise.all([createDatabase(), startRedisServer()]);
});
afterAll(async () => {
  await redis.close();
  await database.close();
});

let running: Api[] = [];
afterEach(async () => {
  await Promise.all(running.map((api) => api.close()));
  running = [];
});

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await startApi({ database, ...options });
  running.push(api);
  return api;
}

const close = async (api: Api) => {
  running = running.filter((each) => each !== api);
  await api.close();
};

const OTHERS_REDIS =
  'Other gateways work on this database, and REDIS_URL does not lead to the Redis that they use; set it to theirs.';
const OTHERS_MEMORY =
  'Another gateway works on this database with its in-process store; stop it, or set REDIS_URL for all of them.';
const NOT_SHARED =
  'Another gateway works on this database, and the in-process store cannot be shared; set REDIS_URL for all of them.';

const refusal = (options: ApiOptions) =>
  start(options).then(
    () => 'started',
    (error: unknown) => (error instanceof ForeignStore ? error.message : error),
  );

describe('gateways on one database', () => {
  it('share one Redis; another one, or a store in the process, is refused', async () => {
    const first = await start();
    const second = await start();
    expect([first, second].map(({ gateway }) => gateway.services.cache.status().trusted)).toEqual([true, true]);
    expect(await Promise.all([refusal({ redisUrl: redis.url }), refusal({ redisUrl: null })])).toEqual([
      OTHERS_REDIS,
      NOT_SHARED,
    ]);
  });

  it('do not share the store in a process', async () => {
    const first = await start({ redisUrl: null });
    expect(first.gateway.storeName).toBe('the in-process store');
    expect(await Promise.all([refusal({}), refusal({ redisUrl: null })])).toEqual([OTHERS_MEMORY, NOT_SHARED]);
  });

  it('may use another store once the others have stopped', async () => {
    const first = await start();
    const waiting = start({ redisUrl: redis.url });
    await close(first);
    const second = await waiting;
    expect(second.gateway.services.cache.status().trusted).toBe(true);
    await close(second);
    const third = await start({ redisUrl: null });
    expect(third.gateway.services.cache.status().trusted).toBe(true);
  });

  it('may start together on a database that nobody has used', async () => {
    const fresh = await createDatabase();
    const options = { database: fresh, redisUrl: inject('redisUrl') };
    expect(await Promise.all([refusal(options), refusal(options)])).toEqual(['started', 'started']);
    await Promise.all(running.map((api) => api.close()));
    running = [];
    await fresh.close();
  });

  it('may start together after Redis was restarted', async () => {
    await close(await start({ redisUrl: redis.url }));
    await redis.restart('empty');
    const options = { redisUrl: redis.url };
    expect(await Promise.all([refusal(options), refusal(options)])).toEqual(['started', 'started']);
  });
});

describe('a Redis that cannot hold the cache is refused', () => {
  let unsuitable: RedisServer;
  beforeAll(async () => {
    unsuitable = await startRedisServer();
  });
  afterAll(() => unsuitable.close());

  const sessions = async () =>
    (
      await database.psql`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'espelho%'`
    ).length;

  it('because it may evict fences', async () => {
    await unsuitable.cli.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const error = await start({ redisUrl: unsuitable.url }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UnsuitableRedis);
    expect(error.message).toContain('maxmemory-policy allkeys-lru');
    expect(error.message).toContain('set it to volatile-lfu');
    await unsuitable.cli.config('SET', 'maxmemory-policy', 'volatile-lfu');
    await eventually(async () => (await sessions()) === 0);
  });

  it('because it is a replica', async () => {
    await unsuitable.cli.replicaof('127.0.0.1', new URL(redis.url).port);
    const error = await start({ redisUrl: unsuitable.url }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UnsuitableRedis);
    expect(error.message).toContain('point it at the master');
    await unsuitable.cli.replicaof('NO', 'ONE');
  });
});

describe('while a server is out of reach', () => {
  const LIST = `{ menuList(first: 1) { edges { node { title } } } }`;
  const SAVE = `mutation { saveMenu(input: {key: "late", title: "Late", items: []}) {
    ... on SaveMenuPayload { receipt { visible } } } }`;
  const editor = { scopes: ['menus:read', 'menus:write'] };

  it('a start without Redis answers and writes by SQL alone, until Redis is there', async () => {
    await redis.kill();
    const api = await start({ redisUrl: redis.url });
    expect(api.gateway.storeName).toBe('Redis (out of reach at the moment)');
    expect(await api.gateway.readiness()).toEqual({ ready: true, postgres: 'up', cache: 'degraded' });
    await database.psql`INSERT INTO menus (key, locale, title) VALUES ('by-hand', 'en', 'By hand')`;
    const seen = await api.ask(`{ menu(key: "by-hand") { title } }`);
    expect(seen.data.menu.title).toBe('By hand');
    expect(seen.trace.map(({ outcome }) => outcome)).toEqual(['BYPASS']);
    expect((await api.ask(SAVE, editor)).data.saveMenu.receipt.visible).toBe(true);
    expect((await api.ask(`{ menu(key: "late") { title } }`)).data.menu.title).toBe('Late');
    await redis.restart('empty');
    await eventually(() => api.gateway.services.cache.status().trusted);
    expect(await api.gateway.readiness()).toEqual({ ready: true, postgres: 'up', cache: 'trusted' });
    expect((await api.ask(SAVE, editor)).data.saveMenu.receipt.visible).toBe(true);
  });

  it('a gateway without Postgres is not ready, until Postgres is back', async () => {
    const wire = await openWire(database.url);
    const api = await startApi({ database: { ...database, url: wire.url } });
    try {
      expect(await api.gateway.readiness()).toEqual({ ready: true, postgres: 'up', cache: 'trusted' });
      wire.cut();
      expect(await api.gateway.readiness()).toMatchObject({ ready: false, postgres: 'down' });
      expect((await api.ask(LIST)).errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
      wire.mend();
      await eventually(async () => (await api.gateway.readiness()).ready);
      await eventually(async () => (await api.ask(LIST)).errors.length === 0);
    } finally {
      await api.close();
      await wire.close();
    }
  });
});
