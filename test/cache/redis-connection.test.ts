// What REDIS_URL leads to: examined at the start, and again each time that a server is reached; believed only if suitable.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, examineRedis, redisStore, UnsuitableRedis } from '../../src/cache/index.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer(['--maxmemory-policy', 'allkeys-lru']);
});
afterAll(() => server.close());

async function verdictOf(url: string): Promise<string | undefined> {
  const connections = await connectRedis(url);
  try {
    return await examineRedis(connections);
  } catch (error) {
    if (!(error instanceof UnsuitableRedis)) throw error;
    return error.message;
  } finally {
    connections.servers.close();
  }
}

const withLogin = (login: string) => server.url.replace('//', `//${login}@`);

describe('a server that is reached only after the start', () => {
  it('is examined then: what an unsuitable one says is not believed, until it has changed', async () => {
    await server.kill();
    const told: string[] = [];
    const connections = await connectRedis(server.url, (sentence) => told.push(sentence));
    const store = redisStore({ ...connections, installation: 'late', timeoutMs: 5_000 });
    expect(await examineRedis(connections)).toBeUndefined();
    await server.restart('empty');
    await eventually(() => told.length > 0);
    const sentence = expect.stringMatching(/maxmemory-policy allkeys-lru.* set it to volatile-lfu\.$/);
    expect(told).toEqual([sentence]);
    expect(await store.meta([0])).toEqual([undefined]);
    const guard = { incarnation: 'i', epoch: '1', generation: '1' };
    const error = await eventually(async () => {
      const [reply] = await store.read([{ partition: 0, guard, items: [] }]);
      return reply?.kind === 'unavailable' && reply.error.message.includes('maxmemory-policy') && reply.error;
    });
    expect(error.message).toEqual(sentence);
    await server.cli.config('SET', 'maxmemory-policy', 'volatile-lfu');
    await server.cli.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const meta = await eventually(async () => (await store.meta([0]))[0]);
    expect(meta.incarnation).toMatch(/^\w{40}$/);
    await store.close();
  });

  it('and has come back another is examined again', async () => {
    const connections = await connectRedis(server.url);
    const store = redisStore({ ...connections, installation: 'again', timeoutMs: 5_000 });
    expect((await store.meta([0]))[0]).toBeDefined();
    await server.restart('empty'); // with the policy that it was started with
    await eventually(() =>
      examineRedis(connections).then(
        () => false,
        (error) => error instanceof UnsuitableRedis,
      ),
    );
    expect(await store.meta([0])).toEqual([undefined]);
    await server.cli.config('SET', 'maxmemory-policy', 'volatile-lfu');
    await store.close();
  });
});

it('a server that is frozen ends no wait later than the time-out, and says of each partition that it did', async () => {
  const connections = await connectRedis(server.url);
  const store = redisStore({ ...connections, installation: 'frozen', timeoutMs: 200 });
  const incarnation = (await eventually(async () => (await store.meta([0]))[0])).incarnation ?? '';
  const guard = { incarnation, epoch: '1', generation: '1' };
  const where = { partition: 0, guard };
  const item = { view: 'note', key: 'k', field: 'value@1', version: '1', changedAtMs: 0, ttlMs: 1_000, value: '"v"' };
  const stored = { ...item, shape: 'text' as const, members: null, token: 't', secret: 't', xid: '1' };
  const change = { ...stored, from: '0', set: [], remove: [], count: 0 };
  await server.freeze();
  const replies = await Promise.all([
    store.read([{ ...where, items: [stored] }]),
    store.standing([{ ...where, items: [stored] }]),
    store.renew([{ ...where, items: [stored] }]),
    store.fill([{ ...where, items: [stored] }]),
    store.fence([{ ...where, items: [stored] }], '1', 't'),
    store.publish([{ ...where, items: [stored] }]),
    store.patch([{ ...where, items: [change] }]),
    store.drop([{ ...where, items: [stored] }]),
  ]);
  const timeout = { code: 'CACHE_UNREACHABLE', kind: 'timeout' };
  for (const reply of replies) expect(reply).toMatchObject([{ kind: 'unavailable', error: timeout }]);
  expect(await store.meta([0, 1])).toEqual([undefined, undefined]);
  expect(await store.advance([{ ...where, from: 'a', to: 'b' }])).toEqual([false]);
  await expect(store.begin(0, guard, 'start')).rejects.toMatchObject(timeout);
  await expect(store.standingFences(where, 0)).rejects.toMatchObject(timeout);
  await expect(store.peek(0, stored)).rejects.toMatchObject(timeout);
  await expect(store.inspect(where, 'note', 'k', 'value@1')).rejects.toMatchObject(timeout);
  await server.thaw();
  await store.close();
});

describe('a user and a password', () => {
  beforeAll(() => server.cli.call('ACL', 'SETUSER', 'gateway', 'on', '>p@ss/w?rd', '~*', '&*', '+@all'));

  it('are taken from REDIS_URL', async () => {
    expect(await verdictOf(withLogin('gateway:p%40ss%2Fw%3Frd'))).toMatch(/^(Redis|Valkey) [\d.]+$/);
    expect(await verdictOf(server.url)).toMatch(/^(Redis|Valkey) [\d.]+$/);
  });

  it('that are wrong are told of, and not repeated', async () => {
    const refusal = 'Redis refuses the user or password in REDIS_URL; correct it.';
    expect(await verdictOf(withLogin('gateway:hunter2'))).toBe(refusal);
    expect(await verdictOf(withLogin('nobody:hunter2'))).toBe(refusal);
  });

  it('that are refused later on make every partition unavailable, and are not repeated', async () => {
    const connections = await connectRedis(withLogin('gateway:p%40ss%2Fw%3Frd'));
    const store = redisStore({ ...connections, installation: 'later', timeoutMs: 5_000 });
    expect((await store.meta([0]))[0]).toBeDefined();
    await server.cli.call('ACL', 'SETUSER', 'gateway', 'resetpass', '>other');
    await server.cli.call('CLIENT', 'KILL', 'USER', 'gateway');
    const guard = { incarnation: 'i', epoch: '1', generation: '1' };
    const error = await eventually(async () => {
      const [reply] = await store.read([{ partition: 0, guard, items: [] }]);
      return reply?.kind === 'unavailable' && reply.error.message.includes('refuses') && reply.error;
    });
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/p@ss|p%40ss/);
    await store.close();
  });
});

describe('a URL of the wrong form is told of', () => {
  it('where it says cluster and there is none', async () => {
    expect(await verdictOf(server.url.replace('redis:', 'redis+cluster:'))).toBe(
      'REDIS_URL leads to a Redis that is no cluster; write it as redis://host:port.',
    );
  });

  it('where it leads to a replica', async () => {
    const replica = await startRedisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    expect(await verdictOf(replica.url)).toBe('REDIS_URL leads to a replica; point it at the master.');
    await replica.close();
  });
});

it('an error of a script carries neither tokens nor values', async () => {
  const connections = await connectRedis(server.url);
  const store = redisStore({ ...connections, installation: 'secret', timeoutMs: 5_000 });
  const incarnation = (await store.meta([0]))[0]?.incarnation ?? '';
  const guard = { incarnation, epoch: '1', generation: '1' };
  await store.begin(0, guard, 'start');
  await server.cli.config('SET', 'maxmemory', '1');
  const item = {
    view: 'note',
    key: 'k',
    field: 'value@1',
    version: '1',
    changedAtMs: 0,
    ttlMs: 1_000,
    value: '"hunter2"',
  };
  const [reply] = await store.fill([
    { partition: 0, guard, items: [{ ...item, shape: 'text', members: null, token: 'hunter3' }] },
  ]);
  await server.cli.config('SET', 'maxmemory', '0');
  expect(reply).toMatchObject({ kind: 'unavailable', error: { kind: 'memory' } });
  const error = reply?.kind === 'unavailable' ? reply.error : undefined;
  const cause = error?.cause instanceof Error ? { ...error.cause, stack: error.cause.stack } : {};
  expect(JSON.stringify([{ ...error, stack: error?.stack }, cause])).not.toContain('hunter');
  await store.close();
});
