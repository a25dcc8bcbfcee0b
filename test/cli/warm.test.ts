import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { createDatabase } from '../support/database.js';
import { espelho } from './terminal.js';

const MENUS = 1_203;

let api: Api;
let home: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  api = await startApi();
  home = await mkdtemp(join(tmpdir(), 'warm-'));
  env = { DATABASE_URL: api.database.url, REDIS_URL: inject('redisUrl') };
  await api.database
    .psql`INSERT INTO menus (key, locale, title) SELECT 'm' || n, 'en', 'title' FROM generate_series(1, ${MENUS}::int) AS n`;
  await api.database.psql`SELECT cache_barrier()`;
});
afterAll(async () => {
  await api.close();
  await rm(home, { recursive: true });
});

const inspect = async (key: string) => api.gateway.services.cache.inspect('menu', key);

describe('espelho warm', () => {
  it('fills every live entry of a view beside the gateways, and counts them', async () => {
    const { code, out } = await espelho(env, 'warm', 'menu', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ view: 'menu', keys: MENUS, warmed: MENUS, ms: expect.any(Number) });
    for (const key of ['m1:en', `m${MENUS}:en`]) expect((await inspect(key))?.state).toBe('fresh');
    api.events.length = 0;
    const { data } = await api.ask('{ menu(key: "m7") { title } }');
    expect([data.menu.title, api.events.filter(({ kind }) => kind === 'loaded').length]).toEqual(['title', 0]);
  });

  it('leaves what stands as it is, and says so in words', async () => {
    const before = await inspect('m1:en');
    const { out } = await espelho(env, 'warm', 'menu');
    expect(out).toMatch(/^menu: 1,203 of 1,203 entries stand, after [\d,]+ ms\.\n$/);
    expect((await inspect('m1:en'))?.ageMs).toBeGreaterThanOrEqual(before?.ageMs ?? Number.POSITIVE_INFINITY);
  });

  it('gives what it fills the TTL that is in force on the gateways', async () => {
    await api.database.psql`INSERT INTO cache_policies (view, ttl_seconds) VALUES ('menu', 100)`;
    await api.gateway.services.cache.purge('menu', ['m2:en']);
    expect((await espelho(env, 'warm', 'menu')).code).toBe(0);
    expect((await inspect('m2:en'))?.ttlMs).toBeLessThanOrEqual(100_000);
    expect((await inspect('m3:en'))?.ttlMs).toBeGreaterThan(3_000_000);
    await api.database.psql`DELETE FROM cache_policies`;
  });

  it('fills nothing older than a write that comes meanwhile', async () => {
    await api.gateway.services.cache.purge('menu', ['m4:en']);
    const warming = espelho(env, 'warm', 'menu');
    for (let n = 0; n < 10; n++) {
      await api.database.psql`UPDATE menus SET title = ${`new ${n}`} WHERE key = 'm4'`;
      await api.database.psql`SELECT cache_barrier()`;
      expect((await api.ask('{ menu(key: "m4") { title } }')).data.menu.title).toBe(`new ${n}`);
    }
    expect((await warming).code).toBe(0);
  });

  it('of a view without entries has nothing to do', async () => {
    const { code, out } = await espelho(env, 'warm', 'account', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, { view: 'account', keys: 0, warmed: 0, ms: expect.any(Number) }]);
  });

  it('begins no generation: where no gateway has used this Redis, it says that one must', async () => {
    const database = await createDatabase();
    const fresh = { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
    const { code, err } = await espelho(fresh, 'warm', 'menu');
    expect([code, err]).toEqual([1, expect.stringContaining('start a gateway first')]);
    expect(await database.psql`SELECT FROM entry_partition`).toHaveLength(0);
    await database.close();
  });

  it('says what to do when nobody can be asked, and which views there are', async () => {
    const alone = await espelho({ ESPELHO_HOME: home }, 'warm', 'menu');
    expect([alone.code, alone.err]).toEqual([1, expect.stringContaining('start one there, or set DATABASE_URL')]);
    const unknown = await espelho(env, 'warm', 'nope');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('the views are menu, account')]);
  });
});
