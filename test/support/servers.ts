// The servers of a test run: one embedded Postgres with a migrated template database, and one private Redis. They start
// once, belong to nobody else, and are gone afterwards. Without a redis-server nothing runs: no test is skipped silently.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/index.js';
import { openEmbedded } from '../../src/embedded/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the superuser, on the maintenance database. */
    databaseUrl: string;
    /** The run's Redis, shared by all test files: keys carry the installation of their database. */
    redisUrl: string;
  }
}

/** Migrated once; each test file's database is a copy. */
export const TEMPLATE = 'espelho_template';

/** Starts both servers; resolves to what stops them and removes their files. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-test-'));
  await chmod(folder, 0o755); // a run by root gives its servers to another user, who must pass through
  const servers = await openEmbedded(join(folder, 'home'), { redis: true });
  const stop = async () => {
    await servers.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    if (!servers.where.data.startsWith(folder)) await rm(servers.where.data, { recursive: true, force: true });
  };
  if (servers.redis.kind === 'absent') {
    await stop();
    process.stderr.write('npm test needs redis-server on the PATH: apt-get install redis-server\n');
    process.exit(1);
  }
  try {
    await createTemplate(servers.databaseUrl);
  } catch (error) {
    await stop();
    throw error;
  }
  provide('databaseUrl', servers.databaseUrl);
  provide('redisUrl', servers.redis.url);
  return stop;
}

async function createTemplate(databaseUrl: string): Promise<void> {
  const client = postgres(databaseUrl, { max: 1 });
  await client.unsafe(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const url = new URL(databaseUrl);
  url.pathname = TEMPLATE;
  await migrate(url.href);
}
