// The servers of one run of the real tier: a Postgres for all workers, and two redis-servers for each. They are gone with it.
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
  const embedded = await openEmbedded(join(folder, 'home'), { redis: false });
  const redis = await Promise.all(Array.from({ length: 2 * workers }, () => startRedisServer()));
  const urlOf = (at: number) => redis[at]?.url ?? '';
  const { databaseUrl, where } = embedded;
  const servers = Array.from({ length: workers }, (_, worker) => ({
    databaseUrl,
    redisUrls: [urlOf(2 * worker), urlOf(2 * worker + 1)] as const,
  }));
  const close = async () => {
    await Promise.all(redis.map((server) => server.close()));
    await embedded.close();
    for (const each of [folder, where.data]) await rm(each, { recursive: true, force: true, maxRetries: 20 });
  };
  return { servers, close };
}
