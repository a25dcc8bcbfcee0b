import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { espelho } from './terminal.js';

let database: TestDatabase;
let home: string;
beforeAll(async () => {
  database = await createDatabase();
  home = await mkdtemp(join(tmpdir(), 'inspect-'));
});
afterAll(async () => {
  await database.close();
  await rm(home, { recursive: true });
});

describe('espelho inspect', () => {
  it('looks into Redis where the servers are given, and calls absent what no gateway vouches for', async () => {
    const env = { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
    const { code, out } = await espelho(env, 'inspect', 'menu', 'main:en', '--json');
    expect(code).toBe(0);
    const facts = { state: 'absent', version: null, ageMs: null, ttlMs: null, bytes: 0 };
    expect(JSON.parse(out)).toEqual({ view: 'menu', key: 'main:en', ...facts });
    expect((await espelho(env, 'inspect', 'menu', 'main:en')).out).toMatch(/^menu main:en\nstate {4}absent\n/);
  });

  it('shows only the beginning of a digest', async () => {
    const env = { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') };
    const { out } = await espelho(env, 'inspect', 'token', 'f'.repeat(64), '--json');
    expect(JSON.parse(out).key).toBe('ffffffff…');
  });

  it('says what to do when nobody can be asked, and which views there are', async () => {
    const alone = await espelho({ ESPELHO_HOME: home }, 'inspect', 'menu', 'main:en');
    expect([alone.code, alone.err]).toEqual([1, expect.stringContaining('start one there, or set DATABASE_URL')]);
    const unknown = await espelho({ ESPELHO_HOME: home }, 'inspect', 'nope', 'x');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('the views are menu, account')]);
  });
});
