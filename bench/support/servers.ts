// The stores of a measurement: one Postgres and one Redis of its own, on free ports, with nothing left behind.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { openEmbedded } from '../../src/embedded/index.js';

export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly close: () => Promise<void>;
}

/** @throws {Error} where this machine has no Redis. */
export async function openServers(): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-bench-'));
  await chmod(folder, 0o755); // servers that are given to another user must pass through
  const servers = await openEmbedded(join(folder, 'home'), { redis: true });
  const close = async () => {
    await servers.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    if (!servers.where.data.startsWith(folder)) await rm(servers.where.data, { recursive: true, force: true });
  };
  if (servers.redis.kind === 'absent') {
    await close();
    throw new Error(`There is no Redis to measure: ${servers.redis.reason}.`);
  }
  await liftMemoryLimit(servers.redis.url);
  return { databaseUrl: servers.databaseUrl, redisUrl: servers.redis.url, close };
}

/** A development start keeps its Redis small; what is measured here must not be evicted. */
async function liftMemoryLimit(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.config('SET', 'maxmemory', '0');
  redis.disconnect();
}

/** The address of another database on the same server. */
export function databaseUrlOf(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

/** Lends `act` a connection. */
export async function withDatabase(url: string, act: (psql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const psql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await act(psql);
  } finally {
    await psql.end();
  }
}

/** Makes `name` a copy of `template` as somebody has it who caches by hand: the same rows, and no change log. */
export async function copyWithoutChangeLog(server: string, template: string, name: string): Promise<string> {
  await withDatabase(server, (psql) => psql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const url = databaseUrlOf(server, name);
  await withDatabase(url, (psql) =>
    psql.unsafe(`DO $$ DECLARE found record; BEGIN
      FOR found IN SELECT tgname, tgrelid::regclass AS source FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.source);
      END LOOP; END $$`),
  );
  return url;
}
