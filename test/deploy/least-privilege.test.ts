// A gateway under exactly the rights that the files of `deploy/` grant: it can do all of its work, and nothing beside it.
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PgDialect } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  findTransactions,
  loadAccounts,
  loadStatementLines,
  loadStatements,
  migrate,
  type Query,
} from '../../src/db/index.js';
import { issueDemoTokens, loadDemoData } from '../../src/resolvers/index.js';
import { mutationCases, mutationsWith, prepared, run } from '../domains/mutation-cases.js';
import { type Api, startApi } from '../support/api.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, redisCli, startRedisServer } from '../support/redis.js';

const PASSWORD = randomBytes(16).toString('hex');
const ROLES = ['espelho_migrator', 'espelho_gateway', 'espelho_reader'] as const;

const deployed = (path: string) => readFile(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

let redis: RedisServer;
let redisUrl: string;
let database: TestDatabase;
let api: Api;
let url: Record<(typeof ROLES)[number], string>;

beforeAll(async () => {
  redis = await startRedisServer();
  await grantRedis();
  database = await createOwnDatabase();
  api = await startApi({ database: { ...database, url: url.espelho_gateway }, redisUrl });
});
afterAll(async () => {
  await api?.close();
  await database?.close();
  await redis?.close();
});

/** The users of the file, with a password for ours; the test's own client has logged in before. */
async function grantRedis(): Promise<void> {
  const lines = (await deployed('redis/users.acl')).trim().split('\n');
  const ours = lines.find((line) => line.startsWith('user espelho '))?.replace(' on ', ` on >${PASSWORD} `);
  const [, name = '', ...rules] = ours?.split(' ') ?? [];
  await redis.cli.call('ACL', 'SETUSER', name, 'reset', ...rules);
  redisUrl = `redis://${name}:${PASSWORD}@127.0.0.1:${redis.port}`;
}

/** An empty database, with roles, tables and rights by the files in the order in which they say to run them. */
async function createOwnDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const maintenance = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  await maintenance.unsafe(`CREATE DATABASE ${name}`);
  const as = (role: string) => {
    const address = new URL(inject('databaseUrl'));
    address.pathname = name;
    address.username = role;
    address.password = PASSWORD;
    return address.href;
  };
  const owner = new URL(inject('databaseUrl'));
  owner.pathname = name;
  const psql = postgres(owner.href, { max: 4, onnotice: () => {} });
  await psql.unsafe(await deployed('postgres/roles.sql'));
  for (const role of ROLES) await psql.unsafe(`ALTER ROLE ${role} PASSWORD '${PASSWORD}'`);
  url = { espelho_migrator: as(ROLES[0]), espelho_gateway: as(ROLES[1]), espelho_reader: as(ROLES[2]) };
  await migrate(url.espelho_migrator);
  await asRole('espelho_migrator', async (sql) => sql.unsafe(await deployed('postgres/grants.sql')));
  const [row] = await psql<{ id: string; partitions: number }[]>`SELECT id, partitions FROM installation`;
  return {
    url: owner.href,
    installation: row?.id ?? '',
    partitions: row?.partitions ?? 0,
    psql,
    close: async () => {
      await psql.end({ timeout: 1 });
      await maintenance.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await maintenance.end({ timeout: 1 });
    },
  };
}

async function asRole<Result>(role: (typeof ROLES)[number], act: (sql: postgres.Sql) => Promise<Result>) {
  const sql = postgres(url[role], { max: 1, onnotice: () => {} });
  try {
    return await act(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const refusal = (attempt: PromiseLike<unknown>) =>
  Promise.resolve(attempt).then(
    () => 'done',
    (error: Error & { code?: string }) => error.code ?? error.message,
  );

describe('under the rights of deploy/', () => {
  it('loads the demo data and issues its tokens', async () => {
    const { services } = api.gateway;
    await loadDemoData(services);
    expect((await issueDemoTokens(services)).size).toBe(4);
  });

  it.each(mutationsWith(true))('writes: %s', async (name) => {
    const one = mutationCases(`lp-${randomUUID()}`)[name];
    if (!one) throw new Error(`${name} has no case in mutation-cases.ts.`);
    const step = await prepared(api, name, one);
    const idempotencyKey = randomUUID();
    const first = await run(api, step, { idempotencyKey, reason: 'tested' });
    expect(first).toMatchObject({ __typename: expect.stringMatching(/Payload$/), receipt: { visible: true } });
    const again = await run(api, step, { idempotencyKey, reason: 'tested' });
    expect(again.receipt).toEqual(first.receipt);
  });

  it('reveals a secret and lists everything', async () => {
    await run(api, ['putSecret', { name: 'lp/secret', value: 'hush' }]);
    expect(await run(api, ['revealSecret', { name: 'lp/secret', reason: 'tested' }])).toMatchObject({ value: 'hush' });
    const { data, errors } = await api.ask(
      `{ menuList(first: 2) { edges { node { key } } } accounts(first: 2) { edges { node { number statement { count lines(first: 3) { edges { node { externalId } } } }
           transactions(from: "2020-01-01", to: "2040-01-01", first: 3) { edges { node { externalId } } } } } }
         tokens(first: 2) { edges { node { name } } } changes(first: 2) { edges { node { action } } }
         securityValues(first: 2) { edges { node { name } } } }`,
      {
        subject: 'ana',
        scopes: ['menus:read', 'statements:read', 'tokens:read', 'audit:read', 'security:read', 'cache:read'],
      },
    );
    expect(errors).toEqual([]);
    for (const list of ['menuList', 'accounts', 'tokens', 'changes', 'securityValues']) {
      expect(data[list].edges.length).toBeGreaterThan(0);
    }
    expect(data.accounts.edges[0].node.transactions.edges.length).toBeGreaterThan(0);
  });

  it('reads from Redis what was written, and is trusted', async () => {
    const ask = () => api.ask('{ menu(key: "main", locale: "en") { title } }');
    await ask();
    expect((await ask()).trace.map(({ outcome }) => outcome)).toContain('HIT');
    expect(api.gateway.services.cache.status().trusted).toBe(true);
  });

  it('draws allowances in Redis', async () => {
    const draw = { key: 'someone', cost: 1, perSecond: 1, burst: 10, granted: false };
    expect(await api.gateway.allowances?.([draw])).toMatchObject([{ taken: true }]);
  });

  it('seals the audit log', async () => {
    await run(api, ['putParameter', { name: 'lp/sealed', parameter: 1 }]);
    await eventually(async () => {
      const [row] =
        await database.psql`SELECT max(up_to) >= (SELECT max(sequence) FROM changes) AS sealed FROM audit_seals`;
      return row?.sealed === true;
    });
  });
});

describe('beside its work the role of gateways may do nothing:', () => {
  const MISSING_RIGHT = '42501';
  const attempts: Record<string, string> = {
    'make a table': 'CREATE TABLE mine (id int)',
    'drop one': 'DROP TABLE menus',
    'switch a trigger off': 'ALTER TABLE menus DISABLE TRIGGER ALL',
    'empty a table': 'TRUNCATE changes',
    'edit the audit log': `UPDATE changes SET actor = 'eva'`,
    'delete from the audit log': 'DELETE FROM changes',
    'edit a seal': 'UPDATE audit_seals SET up_to = 0',
    'delete a seal': 'DELETE FROM audit_seals',
    'change a booked transaction': 'UPDATE transactions SET minor = 0',
    'delete an account': 'DELETE FROM accounts',
    'lift the lock on statements': 'ALTER TABLE accounts DISABLE ROW LEVEL SECURITY',
    'pretend to be another installation': `UPDATE installation SET id = 'x'`,
    'read files of the server': `SELECT pg_read_file('PG_VERSION')`,
    'run a program': `COPY (SELECT 1) TO PROGRAM 'true'`,
  };
  it.each(Object.entries(attempts))('%s', async (_, statement) => {
    expect(await asRole('espelho_gateway', (sql) => refusal(sql.unsafe(statement)))).toBe(MISSING_RIGHT);
  });

  it('and the role of reports reads, but no digest, ciphertext or idempotency key', async () => {
    const tried = (statement: string) => asRole('espelho_reader', (sql) => refusal(sql.unsafe(statement)));
    expect(await tried('SELECT FROM menus')).toBe('done');
    expect(await tried('SELECT id, name FROM tokens')).toBe('done');
    for (const statement of [
      'SELECT digest FROM tokens',
      'SELECT ciphertext FROM secret_versions',
      'SELECT FROM idempotency_keys',
      'DELETE FROM menus',
      'INSERT INTO changes SELECT * FROM changes',
    ]) {
      expect(await tried(statement)).toBe(MISSING_RIGHT);
    }
  });

  it('a gateway that is ahead of its database says who has to migrate it', async () => {
    await database.psql`UPDATE drizzle.__drizzle_migrations SET created_at = created_at - 1000000000000`;
    try {
      await expect(migrate(url.espelho_gateway)).rejects.toThrow(
        /run "espelho migrate" as the role that owns its tables/,
      );
    } finally {
      await database.psql`UPDATE drizzle.__drizzle_migrations SET created_at = created_at + 1000000000000`;
    }
  });
});

describe('the user of Redis may use the keys of caches and the commands of their scripts, no others:', () => {
  it.each([
    ['GET', 'sessions:1'],
    ['SET', '{abcdefgh.1}z:x', '1'],
    ['SCAN', '0'],
    ['KEYS', '*'],
    ['FLUSHALL'],
    ['CONFIG', 'GET', '*'],
    ['SHUTDOWN'],
    ['ACL', 'LIST'],
    ['MONITOR'],
    ['PUBLISH', 'x', 'y'],
    ['FUNCTION', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['CLIENT', 'LIST'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['EVAL', `return redis.call('KEYS', '*')`, '0'],
    ['EVAL', `return redis.call('GET', 'sessions:1')`, '0'],
  ])('%s %s', async (command, ...args) => {
    const cli = redisCli(redisUrl);
    try {
      await expect(cli.call(command, ...args.map(String))).rejects.toThrow(/NOPERM|permission|can't (run|access)/i);
    } finally {
      cli.disconnect();
    }
  });
});

describe('row-level security, the second lock on statements', () => {
  const count = async (setting?: readonly [string, string]) =>
    asRole('espelho_gateway', (sql) =>
      sql.begin(async (tx) => {
        if (setting) await tx`SELECT set_config(${setting[0]}, ${setting[1]}, true)`;
        const [row] = await tx<{ accounts: number; days: number; lines: number }[]>`
          SELECT (SELECT count(*) FROM accounts)::int AS accounts, (SELECT count(*) FROM business_days)::int AS days,
            (SELECT count(*) FROM transactions)::int AS lines`;
        return row;
      }),
    );

  it('shows nothing to a statement that does not say whose accounts it may see', async () => {
    expect(await count()).toEqual({ accounts: 0, days: 0, lines: 0 });
    expect(await count(['espelho.holder', ''])).toEqual({ accounts: 0, days: 0, lines: 0 });
    expect(await count(['espelho.holder', '%'])).toEqual({ accounts: 0, days: 0, lines: 0 });
  });

  it('shows a holder’s accounts to a statement for this holder, and all of them to the cache', async () => {
    const [own] = await database.psql`SELECT count(*)::int AS accounts FROM accounts WHERE holder = 'ana'`;
    const [all] = await database.psql`SELECT count(*)::int AS accounts FROM accounts`;
    expect(own?.accounts).toBeGreaterThan(0);
    expect(all?.accounts).toBeGreaterThan(own?.accounts);
    expect(await count(['espelho.holder', 'ana'])).toMatchObject(own ?? {});
    expect(await count(['espelho.statements', 'all'])).toMatchObject(all ?? {});
  });

  it('costs no more than look-ups by key, however many accounts there are', async () => {
    await database.psql.unsafe(`
      INSERT INTO accounts (number, holder, currency, time_zone, opening)
        SELECT 'many' || n, 'holder' || n % 300, 'BRL', 'UTC', 0 FROM generate_series(1, 3000) AS n;
      INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
        SELECT id, '2026-01-01', 1, 'CLOSED', 0, 0, 0, 0, 1 FROM accounts WHERE number LIKE 'many%';
      INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description)
        SELECT id, '2026-01-01', 1, 1, 'x', 0, 'x' FROM accounts WHERE number LIKE 'many%';
      ANALYZE;`);
    const range = { number: 'many7', holder: 'holder7', from: '2025-01-01', to: '2026-12-31', open: false };
    const asked: [string, (query: Query) => Promise<unknown>, readonly [string, string]][] = [
      ['accounts', (query) => loadAccounts(query, ['many7', 'many8']), ['espelho.statements', 'all']],
      ['statements', (query) => loadStatements(query, ['many7/2026-01-01']), ['espelho.statements', 'all']],
      ['lines', (query) => loadStatementLines(query, ['many7/2026-01-01:1']), ['espelho.statements', 'all']],
      ['transactions', (query) => findTransactions(query, range, undefined, 51), ['espelho.holder', 'holder7']],
    ];
    for (const [what, ask, setting] of asked) expect(await rowsRead(ask, setting), what).toBeLessThan(100);
  });

  /** The most rows that any step of its plan has gone through. */
  const rowsRead = (ask: (query: Query) => Promise<unknown>, [name, value]: readonly [string, string]) =>
    asRole('espelho_gateway', (sql) =>
      sql.begin(async (tx) => {
        await tx`SELECT set_config(${name}, ${value}, true)`;
        let most = 0;
        await ask(async (statement) => {
          const { sql: text, params } = new PgDialect().sqlToQuery(statement);
          const plan = await tx.unsafe<{ 'QUERY PLAN': string }[]>(
            `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${text}`,
            params as postgres.ParameterOrJSON<never>[],
          );
          for (const { 'QUERY PLAN': line } of plan) {
            const [, rows = '0', loops = '0'] = /rows=([\d.]+) loops=(\d+)/.exec(line) ?? [];
            const [, removed = '0'] = /Rows Removed by \w+: (\d+)/.exec(line) ?? [];
            most = Math.max(most, Number(rows) * Number(loops), Number(removed));
          }
          return [];
        });
        return most;
      }),
    );

  it('holds what resolvers ask: nothing without a reader, and whoever asks leaves no right behind', async () => {
    const { query, queryAs } = api.gateway.services;
    const ask = async (by: typeof query) => {
      const { sql } = await import('drizzle-orm');
      return (await by<{ holder: string }>(sql`SELECT DISTINCT holder FROM accounts ORDER BY holder`)).map(
        ({ holder }) => holder,
      );
    };
    expect(await ask(query)).toEqual([]);
    expect(await ask(queryAs({ holder: 'ana' }))).toEqual(['ana']);
    expect((await ask(queryAs('any'))).length).toBeGreaterThan(1);
    expect(await ask(queryAs({ holder: '' }))).toEqual([]);
    expect(await ask(query)).toEqual([]);
  });
});
