// The servers of one run of the real tier: a Postgres and two redis-servers for each worker. They are gone with it.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../../src/embedded/open.js';
import { startRedisServer } from '../support/redis.js';
import type { RealServers } from './real.js';

export interface RunServers {
  /** Of each worker. */
  readonly servers: readonly RealServers[];
  readonly close: () => Promise<void>;
}

export async function startServers(workers: number): Promise<RunServers> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-simulator-'));
  await chmod(folder, 0o755); // a run by root gives its servers to another user, who must pass through
  const all = await Promise.all(Array.from({ length: workers }, (_, worker) => startOne(join(folder, String(worker)))));
  const close = async () => {
    await Promise.all(all.map((one) => one.close()));
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  return { servers: all.map(({ servers }) => servers), close };
}

/** A crash of Postgres concerns nobody but its own worker. */
async function startOne(home: string): Promise<{ servers: RealServers; close: () => Promise<void> }> {
  const { databaseUrl, where, close } = await openEmbedded(home, { redis: false });
  const redisSockets = [join(home, 'redis-1'), join(home, 'redis-2')] as const;
  const redis = await Promise.all(
    redisSockets.map((path) => startRedisServer(['--unixsocket', path, '--unixsocketperm', '777'])),
  );
  return {
    servers: { databaseUrl, redisSockets },
    close: async () => {
      await Promise.all(redis.map((server) => server.close()));
      await close();
      await rm(where.data, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}
