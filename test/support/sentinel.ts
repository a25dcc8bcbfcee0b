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
  readonly tlsPorts: readonly number[];
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly close: () => Promise<void>;
}

export interface WatchedOptions {
  /** Starts master and replica. */
  readonly start?: typeof startRedisServer;
  /** Where servers find each other: the name of their host, and the port of one of them. */
  readonly host?: string;
  readonly portOf?: (server: RedisServer) => number;
  /** Lines of each sentinel's file beside what is always there; `tlsPort` is free, and may be its own. */
  readonly settings?: (tlsPort: number) => readonly string[];
}

/** Resolves once the replica follows and every sentinel knows the replica and the others. */
export async function startWatched({
  start = startRedisServer,
  host = '127.0.0.1',
  portOf = ({ port }) => port,
  settings = () => [],
}: WatchedOptions = {}): Promise<Watched> {
  const master = await start(['--repl-diskless-sync-delay', '0']);
  const replica = await start(['--replicaof', host, String(portOf(master))]);
  await eventually(async () => /master_link_status:up/.test(await replica.cli.info('replication')), 60_000);
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () =>
      startSentinel((tlsPort) => [`sentinel monitor ${NAME} ${host} ${portOf(master)} 2`, ...settings(tlsPort)]),
    ),
  );
  await eventually(async () => {
    const told = await Promise.all(sentinels.map(({ cli }) => cli.info('sentinel')));
    return told.every((info) => info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`));
  }, 60_000);
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    tlsPorts: sentinels.map(({ tlsPort }) => tlsPort),
    master,
    replica,
    close: async () => {
      await Promise.all(sentinels.map((sentinel) => sentinel.close()));
      await Promise.all([master.close(), replica.close()]);
    },
  };
}

async function startSentinel(watches: (tlsPort: number) => readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-test-sentinel-'));
  const { port, tlsPort, server } = await onFreePort((port) =>
    onFreePort(async (tlsPort) => {
      await writeFile(join(folder, 'sentinel.conf'), settings(port, watches(tlsPort)));
      const server = superviseRedis(folder, ['sentinel.conf', '--sentinel']);
      try {
        await server.says(/\+monitor master/, 15_000);
        await acceptsConnections(port);
      } catch (error) {
        await server.stop();
        throw error;
      }
      return { port, tlsPort, server };
    }),
  );
  const cli = redisCli(`redis://127.0.0.1:${port}`);
  return {
    port,
    tlsPort,
    cli,
    close: async () => {
      cli.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

const settings = (port: number, watches: readonly string[]): string =>
  [
    'bind 127.0.0.1',
    `port ${port}`,
    ...watches,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 5000`,
    '',
  ].join('\n');
