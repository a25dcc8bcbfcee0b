// The cache in the hands of its operators: TTLs as parameters on every gateway, entries loaded anew or dropped at any
// time, and views filled before anybody asks.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { CacheUnavailable } from '../../src/cache/index.js';
import { views } from '../../src/resolvers/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { redisCli } from '../support/redis.js';

const operator = { subject: 'op', scopes: ['cache:read', 'cache:write'] };
const USER_ERROR = '... on UserError { __typename code path message } ... on ConflictError { currentVersion }';

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi({ ttlMs: new Map([['account', 120_000]]) });
  other = await startApi({ database: api.database });
});
afterAll(async () => {
  await other.close();
  await api.close();
});
beforeEach(async () => {
  await api.database.psql`DELETE FROM cache_policies`;
  await Promise.all([api, other].map(({ gateway }) => gateway.services.cache.learnPolicies()));
});

const POLICY = 'view shape mode ttlSeconds jitter source version';

const setPolicy = async (view: string, ttlSeconds: number, options: object = {}, caller: object = operator) =>
  (
    await api.ask(
      `mutation ($view: String!, $ttl: Int!, $options: WriteOptions) {
        setCachePolicy(view: $view, ttlSeconds: $ttl, options: $options) {
          ... on SetCachePolicyPayload { receipt { visible version } policy { ${POLICY} } } ${USER_ERROR} } }`,
      caller,
      { view, ttl: ttlSeconds, options },
    )
  ).data.setCachePolicy;

const policies = async (from = api) =>
  (await from.ask(`{ cachePolicies { ${POLICY} } }`, operator)).data.cachePolicies as {
    view: string;
    ttlSeconds: number;
    source: string;
    version: string | null;
  }[];
const policyOf = async (view: string, from = api) => (await policies(from)).find((each) => each.view === view);

const upkeep = async (field: 'refreshCache' | 'purgeCache', view: string, keys?: readonly string[]) => {
  const payload = field === 'refreshCache' ? 'RefreshCachePayload { refreshed }' : 'PurgeCachePayload { purged }';
  const { data } = await api.ask(
    `mutation ($view: String!, $keys: [String!]) { ${field}(view: $view, keys: $keys) { ... on ${payload} ${USER_ERROR} } }`,
    operator,
    { view, keys },
  );
  return data[field];
};

const stateOf = async (key: string, view = 'menu') =>
  (await api.gateway.services.cache.inspect(view, key))?.state ?? 'untrusted';

const makeMenus = async (...keys: readonly string[]) => {
  for (const key of keys)
    await api.database.psql`INSERT INTO menus (key, locale, title) VALUES (${key}, 'en', 'old') ON CONFLICT DO NOTHING`;
  await api.database.psql`SELECT cache_barrier()`;
};
const titleOf = async (key: string, from = api) =>
  (await from.ask('query ($key: String!) { menu(key: $key) { title } }', {}, { key })).data.menu?.title;
const read = async (...keys: readonly string[]) => {
  for (const key of keys) {
    await eventually(async () => {
      await titleOf(key);
      return (await stateOf(`${key}:en`)) === 'fresh';
    });
  }
};

describe('cachePolicies', () => {
  it('lists every view, with its shape, mode, TTL, jitter and where the TTL comes from', async () => {
    const listed = await policies();
    expect(listed.map(({ view }) => view)).toEqual(views.map(({ name }) => name));
    const menu = { view: 'menu', shape: 'TEXT', mode: 'AVAILABLE', ttlSeconds: 3_600, jitter: 0.1, source: 'CODE' };
    expect(listed[0]).toEqual({ ...menu, version: null });
    expect(await policyOf('account')).toMatchObject({ ttlSeconds: 120, source: 'ENVIRONMENT' });
  });

  it('is for callers with cache:read', async () => {
    const { errors } = await api.ask('{ cachePolicies { view } }', { scopes: ['menus:read'] });
    expect(errors[0]?.code).toBe('FORBIDDEN');
  });
});

describe('setCachePolicy', () => {
  it('sets a TTL over the environment and the code, answers what now holds, and writes an audit row', async () => {
    const set = await setPolicy('account', 30, { reason: 'load test' });
    expect(set.receipt.visible).toBe(true);
    const policy = { view: 'account', ttlSeconds: 30, source: 'RUNTIME', version: set.receipt.version };
    expect(set.policy).toMatchObject(policy);
    expect(await policyOf('account')).toMatchObject(policy);
    await setPolicy('account', 40);
    const rows = await api.database.psql`
      SELECT actor, action, domain, reason, before, after FROM changes WHERE key = 'account' ORDER BY sequence`;
    expect(rows).toEqual([
      {
        actor: 'op',
        action: 'setCachePolicy',
        domain: 'CACHE_POLICY',
        reason: 'load test',
        before: null,
        after: { ttlSeconds: 30 },
      },
      expect.objectContaining({ before: { ttlSeconds: 30 }, after: { ttlSeconds: 40 } }),
    ]);
  });

  it('is in force on another gateway within about a second, without anybody asking there', async () => {
    await setPolicy('menu', 77);
    await eventually(() => other.gateway.services.cache.ttlOf('menu').ttlMs === 77_000);
    await api.database.psql`DELETE FROM cache_policies`;
    await eventually(() => other.gateway.services.cache.ttlOf('menu').source === 'CODE');
  });

  it('is seen by the next read of any gateway', async () => {
    await setPolicy('menu', 78);
    expect((await policyOf('menu', other))?.ttlSeconds).toBe(78);
  });

  it('survives a restart', async () => {
    await setPolicy('menu', 79);
    const restarted = await startApi({ database: api.database });
    expect(restarted.gateway.services.cache.ttlOf('menu')).toMatchObject({ ttlMs: 79_000, source: 'RUNTIME' });
    await restarted.close();
  });

  it('holds for what is stored from then on; what stands keeps its life', async () => {
    await makeMenus('before', 'after');
    await read('before');
    await setPolicy('menu', 50);
    await read('after');
    const lifeOf = async (key: string) => (await api.gateway.services.cache.inspect('menu', key))?.ttlMs ?? 0;
    expect(await lifeOf('before:en')).toBeGreaterThan(3_000_000);
    expect(await lifeOf('after:en')).toBeLessThanOrEqual(50_000);
    expect(await lifeOf('after:en')).toBeGreaterThan(40_000);
  });

  it('refuses a version that no longer stands, and tells the one that does', async () => {
    const first = await setPolicy('menu', 60);
    const second = await setPolicy('menu', 61, { expectedVersion: first.receipt.version });
    expect(second.policy.ttlSeconds).toBe(61);
    const late = await setPolicy('menu', 62, { expectedVersion: first.receipt.version });
    expect(late).toMatchObject({ __typename: 'ConflictError', currentVersion: second.receipt.version });
    expect((await policyOf('menu'))?.ttlSeconds).toBe(61);
  });

  it.each([0, -1, 31_536_001])('refuses %i seconds', async (ttlSeconds) => {
    const refused = { __typename: 'ValidationError', path: ['ttlSeconds'] };
    expect(await setPolicy('menu', ttlSeconds)).toMatchObject(refused);
  });

  it('takes a second and a year', async () => {
    expect((await setPolicy('menu', 1)).policy.ttlSeconds).toBe(1);
    expect((await setPolicy('menu', 31_536_000)).policy.ttlSeconds).toBe(31_536_000);
  });

  it('says which views there are when there is none of this name', async () => {
    const refused = await setPolicy('nope', 60);
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['view'] });
    expect(refused.message).toContain('menu, account, statement');
  });

  it('is for callers with cache:write', async () => {
    const refused = await setPolicy('menu', 60, {}, { scopes: ['cache:read'] });
    expect(refused).toMatchObject({ __typename: 'ForbiddenError' });
  });
});

describe('refreshCache', () => {
  it('loads the entries named, whatever stands, and counts them', async () => {
    await makeMenus('r1', 'r2');
    await read('r1');
    const before = await api.gateway.services.cache.inspect('menu', 'r1:en');
    api.events.length = 0;
    expect(await upkeep('refreshCache', 'menu', ['r1:en', 'r2:en', 'r1:en', 'unknown:en'])).toEqual({ refreshed: 3 });
    const loads = api.events.filter(({ kind }) => kind === 'loaded');
    expect(loads.map((event) => 'keys' in event && event.keys)).toEqual([['r1:en', 'r2:en', 'unknown:en']]);
    expect([await stateOf('r1:en'), await stateOf('r2:en')]).toEqual(['fresh', 'fresh']);
    expect(before?.state).toBe('fresh');
  });

  it('mends an entry that has gone wrong in Redis', async () => {
    await makeMenus('wrong');
    await read('wrong');
    const cli = redisCli(inject('redisUrl'));
    const [name = ''] = await cli.keys(`{${api.database.installation}.*e:menu:wrong:en`);
    const [field = ''] = (await cli.hkeys(name)).filter((each) => each.startsWith('value@'));
    await cli.hset(name, field, (await cli.hget(name, field))?.replace('old', 'bad') ?? '');
    await cli.hset(name, 'v', '9'.repeat(18).padStart(19, '0'));
    cli.disconnect();
    expect(await titleOf('wrong')).toBe('bad');
    expect(await upkeep('refreshCache', 'menu', ['wrong:en'])).toEqual({ refreshed: 1 });
    expect(await titleOf('wrong')).toBe('old');
  });

  it('without keys takes all live ones of the view, by the page', async () => {
    await api.database
      .psql`INSERT INTO menus (key, locale, title) SELECT 'many' || n, 'en', 'old' FROM generate_series(1, 1100) AS n`;
    await api.database.psql`DELETE FROM menus WHERE key = 'many7'`;
    await api.database.psql`SELECT cache_barrier()`;
    const [{ count } = { count: '0' }] = await api.database.psql<{ count: string }[]>`SELECT count(*) FROM menus`;
    api.events.length = 0;
    expect(await upkeep('refreshCache', 'menu')).toEqual({ refreshed: Number(count) });
    expect(api.events.filter(({ kind }) => kind === 'loaded')).toHaveLength(Math.ceil(Number(count) / 500));
    expect(await stateOf('many1100:en')).toBe('fresh');
    expect(await stateOf('many7:en')).toBe('absent');
  });

  it('never brings an older value back while writers are at work', async () => {
    await makeMenus('busy');
    let [running, refreshes] = [true, 0];
    const refreshing = (async () => {
      while (running) {
        await upkeep('refreshCache', 'menu', ['busy:en']);
        refreshes++;
      }
    })();
    for (let n = 0; n < 25 || refreshes <= 5; n++) {
      const from = n % 2 ? api : other;
      const { data } = await from.ask(
        `mutation ($input: SaveMenuInput!) { saveMenu(input: $input) { ... on SaveMenuPayload { receipt { visible } } } }`,
        { scopes: ['menus:write'] },
        { input: { key: 'busy', title: `title ${n}`, items: [] } },
      );
      expect(data.saveMenu.receipt.visible).toBe(true);
      expect(await Promise.all([titleOf('busy'), titleOf('busy', other)])).toEqual([`title ${n}`, `title ${n}`]);
    }
    running = false;
    await refreshing;
    expect(refreshes).toBeGreaterThan(5);
  });

  it('takes at most 1,000 keys, and none at all', async () => {
    const keys = Array.from({ length: 1_001 }, (_, at) => `k${at}:en`);
    const refused = { __typename: 'ValidationError', path: ['keys'] };
    expect(await upkeep('refreshCache', 'menu', keys)).toMatchObject(refused);
    expect(await upkeep('purgeCache', 'menu', keys)).toMatchObject(refused);
    expect(await upkeep('refreshCache', 'menu', [])).toEqual({ refreshed: 0 });
    expect(await upkeep('refreshCache', 'nope')).toMatchObject({ __typename: 'ValidationError', path: ['view'] });
  });

  it('says try again while the store is not trusted', async () => {
    const { cache } = api.gateway.services;
    const failing = Object.assign(
      new CacheUnavailable('The cache is not trusted at the moment; try again.', 'untrusted'),
    );
    const reload = cache.reload.bind(cache);
    cache.reload = () => Promise.reject(failing);
    const { errors } = await api.ask('mutation { refreshCache(view: "menu", keys: ["a"]) { __typename } }', operator);
    cache.reload = reload;
    expect(errors[0]?.code).toBe('CACHE_UNREACHABLE');
  });
});

describe('purgeCache', () => {
  it('drops the entries named; the next reader finds them in SQL', async () => {
    await makeMenus('p1', 'p2');
    await read('p1', 'p2');
    expect(await upkeep('purgeCache', 'menu', ['p1:en'])).toEqual({ purged: 1 });
    expect([await stateOf('p1:en'), await stateOf('p2:en')]).toEqual(['absent', 'fresh']);
    expect(await titleOf('p1')).toBe('old');
  });

  it('without keys drops all live ones of the view, and leaves other views alone', async () => {
    await makeMenus('p3');
    await read('p3');
    expect((await upkeep('purgeCache', 'menu')).purged).toBeGreaterThanOrEqual(1);
    expect(await stateOf('p3:en')).toBe('absent');
  });

  it('takes the digest of a token by name', async () => {
    expect(await upkeep('purgeCache', 'token', ['f'.repeat(64)])).toEqual({ purged: 1 });
    expect(await upkeep('purgeCache', 'token')).toEqual({ purged: 0 });
  });
});
