// The configuration: defaults that need nothing set, and every fault at once without a secret in it.

import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';

const views = ['menu', 'statement-lines'];
const read = (env: NodeJS.ProcessEnv) => readConfig(env, views, '/project');

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.faults : [String(error)];
  }
}

it('needs nothing set', () => {
  expect(read({})).toEqual({
    http: { host: '127.0.0.1', port: 4000, portIsExplicit: false },
    databaseUrl: undefined,
    redisUrl: undefined,
    home: '/project/.espelho',
    tokenPepper: undefined,
    masterKey: undefined,
    demo: true,
    ttlMs: new Map(),
    partitions: undefined,
    edge: {
      limits: {},
      rates: {},
      statementMs: 2_000,
      origins: [],
      proxies: [],
      graphiql: true,
      introspection: true,
      trustedOnly: false,
      manifest: undefined,
      answersMb: 128,
      maxAgeSeconds: 10,
    },
    machine: { workers: 1, metrics: undefined, metricsBesideRequests: true },
    logLevel: 'info',
    production: false,
  });
});

it('is closed in production where development is open, unless it is opened', () => {
  const { edge } = read({ NODE_ENV: 'production' });
  expect(edge).toMatchObject({ graphiql: false, introspection: false, trustedOnly: true });
  expect(edge.rates).toEqual({ token: 60_000, address: 12_000 });
  const opened = {
    ESPELHO_GRAPHIQL: '1',
    ESPELHO_INTROSPECTION: '1',
    ESPELHO_DOCUMENTS: 'any',
    ESPELHO_RATE_TOKEN: '0',
  };
  expect(read({ NODE_ENV: 'production', ...opened }).edge).toMatchObject({
    graphiql: true,
    introspection: true,
    trustedOnly: false,
    rates: { token: 0, address: 12_000 },
  });
});

it('reads the limits of the edge', () => {
  const { edge } = read({
    ESPELHO_LIMIT_DEPTH: '20',
    ESPELHO_LIMIT_STATEMENT_MS: '500',
    ESPELHO_ORIGINS: 'https://app.example.com, http://localhost:3000',
    ESPELHO_PROXIES: '10.0.0.0/8,::1,fd00::/8',
    ESPELHO_MANIFEST: 'documents.json',
    ESPELHO_MAX_AGE: '0',
    ESPELHO_ANSWERS_MB: '0',
  });
  expect(edge).toMatchObject({
    limits: { depth: 20 },
    statementMs: 500,
    origins: ['https://app.example.com', 'http://localhost:3000'],
    proxies: ['10.0.0.0/8', '::1', 'fd00::/8'],
    manifest: '/project/documents.json',
    answersMb: 0,
    maxAgeSeconds: 0,
  });
});

it('says what each setting of the edge must be', () => {
  const faults = faultsOf({
    ESPELHO_LIMIT_DEPTH: '0',
    ESPELHO_RATE_TOKEN: '-1',
    ESPELHO_ORIGINS: 'app.example.com',
    ESPELHO_PROXIES: '10.0.0.0/40',
    ESPELHO_GRAPHIQL: 'yes',
    ESPELHO_DOCUMENTS: 'all',
    ESPELHO_LIMIT_DEPHT: '3',
  });
  expect(faults).toEqual([
    'ESPELHO_LIMIT_DEPTH must be a whole number from 1 to 60; leave it unset for the default.',
    'ESPELHO_RATE_TOKEN must be a whole number from 0 to 100000000; leave it unset for the default.',
    'ESPELHO_ORIGINS must be origins of pages, such as https://app.example.com, with commas between them.',
    'ESPELHO_PROXIES must be addresses or networks, such as 10.0.0.0/8, with commas between them.',
    'ESPELHO_GRAPHIQL must be 1 (on) or 0 (off).',
    'ESPELHO_DOCUMENTS must be trusted (those in ESPELHO_MANIFEST) or any (all).',
    'ESPELHO_LIMIT_DEPHT is not a setting. Did you mean ESPELHO_LIMIT_DEPTH? Correct it or remove it.',
  ]);
});

it('treats a variable set to nothing as not set', () => {
  expect(read({ PORT: '', DATABASE_URL: ' ', ESPELHO_TTL_MENU: '' })).toEqual(read({}));
});

it('reads what is set', () => {
  const key = '0F'.repeat(32);
  const config = read({
    PORT: '4000',
    HOST: '::1',
    DATABASE_URL: 'postgresql://u:p@db/espelho?sslmode=verify-full',
    REDIS_URL: 'rediss://:p@cache:6380',
    ESPELHO_HOME: '/srv/espelho',
    ESPELHO_TOKEN_PEPPER: 'p'.repeat(32),
    ESPELHO_MASTER_KEY: key,
    ESPELHO_TTL_STATEMENT_LINES: '90',
    ESPELHO_PARTITIONS: '256',
    LOG_LEVEL: 'debug',
    NODE_ENV: 'production',
  });
  expect(config).toMatchObject({
    http: { host: '::1', port: 4000, portIsExplicit: true },
    home: '/srv/espelho',
    masterKey: key.toLowerCase(),
    ttlMs: new Map([['statement-lines', 90_000]]),
    partitions: 256,
    production: true,
  });
  expect(read({ ESPELHO_MASTER_KEY: Buffer.from(key, 'hex').toString('base64') }).masterKey).toBe(config.masterKey);
});

it('takes one Redis, the nodes of a cluster, or sentinels with the name of a master; each also by TLS', () => {
  const fitting = [
    'redis://cache',
    'rediss://user:p%40ss@cache:6380/2',
    'redis://[::1]:6379',
    'redis+cluster://a:7000,b:7001,c',
    'rediss+cluster://user:password@a,b:7001',
    'redis+sentinel://:password@a:26379,b/primary',
    'rediss+sentinel://a/primary?sentinelUsername=u&sentinelPassword=p%26',
  ];
  for (const REDIS_URL of fitting) expect(read({ REDIS_URL }).redisUrl).toBe(REDIS_URL);
});

it('says what REDIS_URL must look like, whatever is wrong with it', () => {
  const unfit = [
    'http://cache',
    'redis://',
    'redis://a,b',
    'redis://a/db',
    'redis://a:70000',
    'redis://us%er@a',
    'redis+cluster://a,,b',
    'redis+cluster://a/1',
    'redis+sentinel://a,b',
    'redis+sentinel://a/primary?password=hunter2',
    'redis+proxy://a',
  ];
  for (const REDIS_URL of unfit) {
    expect(faultsOf({ REDIS_URL })).toEqual([expect.stringMatching(/^REDIS_URL must look like redis:.*%xx\.$/)]);
  }
});

it('loads demo data into an embedded Postgres, and into another one only when asked', () => {
  const DATABASE_URL = 'postgres://db/espelho';
  expect(read({ ESPELHO_DEMO: '0' }).demo).toBe(false);
  expect(read({ DATABASE_URL }).demo).toBe(false);
  expect(read({ DATABASE_URL, ESPELHO_DEMO: '1' }).demo).toBe(true);
});

it('reports every fault at once, each with what to do, and no secret', () => {
  const faults = faultsOf({
    PORT: '70000',
    HOST: 'a b',
    DATABASE_URL: 'mysql://user:hunter2@host/db',
    REDIS_URL: 'redis://user:hunt#er2/@host',
    ESPELHO_TOKEN_PEPPER: 'hunter2',
    ESPELHO_MASTER_KEY: 'hunter2',
    ESPELHO_DEMO: 'yes',
    ESPELHO_PARTITIONS: '257',
    ESPELHO_TTL_MENU: '0',
    LOG_LEVEL: 'loud',
  });
  expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
    'PORT',
    'HOST',
    'DATABASE_URL',
    'REDIS_URL',
    'ESPELHO_TOKEN_PEPPER',
    'ESPELHO_MASTER_KEY',
    'ESPELHO_DEMO',
    'ESPELHO_PARTITIONS',
    'LOG_LEVEL',
    'ESPELHO_TTL_MENU',
  ]);
  expect(new ConfigError(faults).message).not.toMatch(/hunt/);
  expect(faults[0]).toBe('PORT must be a whole number from 0 to 65535; leave it unset for 4000.');
});

it('knows misspelt names, and lists the views', () => {
  expect(faultsOf({ ESPELHO_PARTITION: '3', ESPELHO_COLOUR: 'red', ESPELHO_TTL_STATMENT_LINES: '5' })).toEqual([
    'ESPELHO_TTL_STATMENT_LINES names no view. Did you mean ESPELHO_TTL_STATEMENT_LINES? The views are: menu, statement-lines.',
    'ESPELHO_PARTITION is not a setting. Did you mean ESPELHO_PARTITIONS? Correct it or remove it.',
    'ESPELHO_COLOUR is not a setting. Correct it or remove it.',
  ]);
});

it('wants a token pepper and a master key that gateways share, in production on a database that they share', () => {
  const env = { DATABASE_URL: 'postgres://localhost/espelho', NODE_ENV: 'production' };
  expect(faultsOf(env)).toEqual([
    expect.stringMatching(/^ESPELHO_TOKEN_PEPPER must be set in production/),
    expect.stringMatching(/^ESPELHO_MASTER_KEY must be set in production/),
  ]);
  expect(faultsOf({ ...env, NODE_ENV: 'development' })).toEqual([]);
  expect(faultsOf({ NODE_ENV: 'production' })).toEqual([]);
});

it('refuses links to other hosts without TLS in production, unless they are allowed', () => {
  const keys = { ESPELHO_TOKEN_PEPPER: 'p'.repeat(32), ESPELHO_MASTER_KEY: 'a'.repeat(64), NODE_ENV: 'production' };
  const faults = (links: NodeJS.ProcessEnv) => faultsOf({ ...keys, ...links });
  const plain = { DATABASE_URL: 'postgres://u:secret@db/espelho', REDIS_URL: 'redis://:secret@cache:6379' };
  expect(faults(plain)).toEqual([
    expect.stringMatching(/^DATABASE_URL leads to another host without TLS: add \?sslmode=verify-full/),
    expect.stringMatching(/^REDIS_URL leads to another host without TLS: begin it with rediss/),
  ]);
  expect(faults(plain).join()).not.toContain('secret');
  expect(faults({ ...plain, ESPELHO_PLAINTEXT: '1' })).toEqual([]);
  expect(faults({ ...plain, NODE_ENV: 'development' })).toEqual([]);
  for (const mode of ['disable', 'allow', 'prefer'])
    expect(faults({ DATABASE_URL: `postgres://db/espelho?sslmode=${mode}` })).toHaveLength(1);
  for (const url of ['redis+cluster://127.0.0.1:1,cache:6379', 'redis+sentinel://:p@cache:26379/mymaster'])
    expect(faults({ REDIS_URL: url })).toHaveLength(1);
  expect(faults({ DATABASE_URL: 'postgres://127.0.0.1/espelho', REDIS_URL: 'redis://[::1]:6379' })).toEqual([]);
  expect(faults({ DATABASE_URL: 'postgres://db/e?sslmode=require', REDIS_URL: 'rediss+cluster://a:1,b:2' })).toEqual(
    [],
  );
});
