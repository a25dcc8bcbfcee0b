// One master, one replica, and three sentinels who replace the master within seconds.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptsConnections, onFreePort } from '../../src/embedded/port.js';
import { eventually } from './eventually.js';
import { type RedisServer, redisCli, startRedisServer, superviseRedis } from './redis.js';

const SENTINELS = 3;
/** Short, but longer than a busy machine keeps a server from running. */
const DOWN_AFTER_MS = 1_000;
const NAME = 'espelho';

export interface Watched {
  /** Names the sentinels. */
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly close: () => Promise<void>;
}

/** Resolves once the replica follows and every sentinel knows the replica and the others. */
export async function startWatched(): Promise<Watched> {
  const master = await startRedisServer(['--repl-diskless-sync-delay', '0']);
  const replica = await startRedisServer(['--replicaof', '127.0.0.1', String(master.port)]);
  await eventually(async () => /master_link_status:up/.test(await replica.cli.info('replication')), 60_000);
  const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(master.port)));
  await eventually(async () => {
    const told = await Promise.all(sentinels.map(({ cli }) => cli.info('sentinel')));
    return told.every((info) => info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`));
  }, 60_000);
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    master,
    replica,
    close: async () => {
      await Promise.all(sentinels.map((sentinel) => sentinel.close()));
      await Promise.all([master.close(), replica.close()]);
    },
  };
}

async function startSentinel(masterPort: number) {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-test-sentinel-'));
  const { port, server } = await onFreePort(async (port) => {
    await writeFile(join(folder, 'sentinel.conf'), settings(port, masterPort));
    const server = superviseRedis(folder, ['sentinel.conf', '--sentinel']);
    try {
      await server.says(/\+monitor master/, 15_000);
      await acceptsConnections(port);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { port, server };
  });
  const cli = redisCli(`redis://127.0.0.1:${port}`);
  return {
    port,
    cli,
    close: async () => {
      cli.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

const settings = (port: number, masterPort: number): string =>
  [
    'bind 127.0.0.1',
    `port ${port}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    '',
  ].join('\n');
