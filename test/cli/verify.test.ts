import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { partitionOf } from '../../src/cache/index.js';
import { views } from '../../src/resolvers/index.js';
import { type Api, startApi } from '../support/api.js';
import { createDatabase } from '../support/database.js';
import { redisCli } from '../support/redis.js';
import { espelho, type Ran } from './terminal.js';

const MENUS = 1_203;
const DIGEST = 'd'.repeat(64);

let api: Api;
let home: string;
let env: NodeJS.ProcessEnv;
let redis: Redis;
beforeAll(async () => {
  api = await startApi();
  home = await mkdtemp(join(tmpdir(), 'verify-'));
  env = { DATABASE_URL: api.database.url, REDIS_URL: inject('redisUrl') };
  redis = redisCli(inject('redisUrl'));
  const { psql } = api.database;
  await psql`INSERT INTO menus (key, locale, title) SELECT 'm' || n, 'en', 'title' FROM generate_series(1, ${MENUS}::int) AS n`;
  await psql`INSERT INTO menus (key, locale, title) VALUES ('gone', 'en', 'title')`;
  await psql`DELETE FROM menus WHERE key = 'gone'`;
  await psql`INSERT INTO tokens (digest, name, prefix, subject, scopes) VALUES (${DIGEST}, 'n', 'p', 's', '{}')`;
  await psql`SELECT cache_barrier()`;
  expect((await espelho(env, 'warm', 'menu')).code).toBe(0);
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
  await rm(home, { recursive: true });
});

/** Changes an entry in Redis by hand. */
const tamper = async (view: string, key: string, fields: Record<string, string>) => {
  const { installation, partitions } = api.database;
  await redis.hset(`{${installation}.${partitionOf(view, key, partitions)}}e:${view}:${key}`, fields);
};
const linesOf = ({ out }: Ran): unknown[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const right = { view: 'menu', keys: MENUS + 1, same: MENUS, missing: 1, fenced: 0, pending: 0, mismatches: 0 };

describe('espelho verify', () => {
  it('finds that all entries of a view are what SQL says, the deleted ones looked for too', async () => {
    const ran = await espelho(env, 'verify', 'menu', '--json');
    expect([ran.code, linesOf(ran)]).toEqual([0, [{ ...right, repaired: 0, ms: expect.any(Number) }]]);
    expect((await espelho(env, 'verify', 'menu')).out).toMatch(
      /^menu: 1,203 of 1,204 entries agree with SQL, 1 not in the cache, after [\d,]+ ms\.\n$/,
    );
  });

  it('goes through every view when none is named', async () => {
    const ran = await espelho(env, 'verify', '--json');
    expect([ran.code, linesOf(ran)]).toEqual([0, views.map(({ name }) => expect.objectContaining({ view: name }))]);
  });

  it('names what is wrong, by key and version but never by value, and fails', async () => {
    await tamper('menu', 'm7:en', { 'value@1': '{"a secret": true}' });
    await tamper('menu', 'm8:en', { v: '0'.repeat(18).concat('1') });
    const ran = await espelho(env, 'verify', 'menu', '--json');
    const wrong = { view: 'menu', cause: 'mismatch', sqlVersion: expect.any(String), repaired: false };
    expect([ran.code, linesOf(ran)]).toEqual([
      1,
      [
        { ...wrong, key: 'm7:en', storeVersion: expect.any(String) },
        { ...wrong, key: 'm8:en', storeVersion: '1' },
        { ...right, same: MENUS - 2, mismatches: 2, repaired: 0, ms: expect.any(Number) },
      ],
    ]);
    expect(ran.out + ran.err).not.toContain('secret');
    const words = await espelho(env, 'verify', 'menu');
    expect(words.out).toMatch(/^menu m7:en: mismatch; both have version \d+, with other content\n/);
    expect(words.out).toMatch(/\nmenu m8:en: mismatch; the cache has version 1, SQL \d+\n/);
    expect(words.out).toMatch(/, 1 not in the cache, 2 wrong, after/);
  });

  it('looks at one entry alone', async () => {
    const ran = await espelho(env, 'verify', 'menu', '--key', 'm9:en', '--json');
    expect([ran.code, linesOf(ran)]).toEqual([0, [expect.objectContaining({ keys: 1, same: 1 })]]);
    expect((await espelho(env, 'verify', 'menu', '--key', 'm7:en')).code).toBe(1);
  });

  it('drops what is wrong when told to, and still says so; the next reader finds it in SQL', async () => {
    const ran = await espelho(env, 'verify', 'menu', '--repair');
    expect([ran.code, ran.out]).toEqual([
      1,
      expect.stringMatching(/m8:en: .*; dropped\n.*, 2 wrong \(2 dropped\), after/),
    ]);
    expect((await api.ask('{ menu(key: "m7") { title } }')).data.menu.title).toBe('title');
    const again = await espelho(env, 'verify', 'menu', '--json');
    expect([again.code, linesOf(again)]).toEqual([0, [expect.objectContaining({ mismatches: 0 })]]);
  });

  it('shows only the beginning of a digest', async () => {
    await espelho(env, 'warm', 'token');
    await tamper('token', DIGEST, { v: '0'.repeat(18).concat('1') });
    const ran = await espelho(env, 'verify', 'token', '--repair');
    expect(ran.out).toMatch(/^token dddddddd…: mismatch/);
    expect(ran.out + ran.err).not.toContain(DIGEST);
  });

  it('begins no generation: where no gateway has used this Redis, it says that one must', async () => {
    const database = await createDatabase();
    await database.psql`INSERT INTO menus (key, locale, title) VALUES ('m', 'en', 'title')`;
    const fresh = { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
    const { code, err } = await espelho(fresh, 'verify', 'menu');
    expect([code, err]).toEqual([1, expect.stringContaining('start a gateway first')]);
    expect(await database.psql`SELECT FROM entry_partition`).toHaveLength(0);
    await database.close();
  });

  it('says what to do when nobody can be asked, which views there are, and that a key needs its view', async () => {
    const alone = await espelho({ ESPELHO_HOME: home }, 'verify', 'menu');
    expect([alone.code, alone.err]).toEqual([1, expect.stringContaining('start one there, or set DATABASE_URL')]);
    const unknown = await espelho(env, 'verify', 'nope');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('the views are menu, account')]);
    const keyOnly = await espelho(env, 'verify', '--key', 'main:en');
    expect([keyOnly.code, keyOnly.err]).toEqual([2, expect.stringContaining('--key needs its view')]);
  });
});
