// Redis as tests use it: clients of the run's server, and servers of one's own to stop, freeze and restore.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { acceptsConnections, onFreePort } from '../../src/embedded/port.js';
import { findRedis } from '../../src/embedded/redis.js';
import { type Supervised, supervise } from '../../src/embedded/supervise.js';

/** A client for the test itself, which waits until the server is there. */
export function redisCli(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => {});
  return redis;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly cli: Redis;
  /** Writes the dump that `restart('dump')` restores. */
  readonly save: () => Promise<void>;
  /** Ends the server as a crash would: nothing is saved. */
  readonly kill: () => Promise<void>;
  /** Starts it again on its port, after `kill` or while it runs. */
  readonly restart: (from: 'empty' | 'dump') => Promise<void>;
  /** Keeps connections open and answers nothing, until `thaw`. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts a redis-server of one's own; `settings` as on its command line. */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-test-redis-'));
  await chmod(folder, 0o755);
  const started = await onFreePort(async (port) => ({ port, server: await run(folder, port, settings) }));
  const { port } = started;
  let server: Supervised | undefined = started.server;
  let pid = 0;
  const url = `redis://127.0.0.1:${port}`;
  const cli = redisCli(url);
  const know = async () => {
    pid = Number(/process_id:(\d+)/.exec(await cli.info('server'))?.[1]);
  };
  const kill = async () => {
    if (!server) return;
    process.kill(pid, 'SIGKILL');
    await server.stop();
    server = undefined;
  };
  await know();
  return {
    url,
    port,
    cli,
    save: async () => void (await cli.save()),
    kill,
    restart: async (from) => {
      await kill();
      if (from === 'empty') await rm(join(folder, 'dump.rdb'), { force: true });
      server = await run(folder, port, settings);
      await know();
    },
    freeze: async () => void process.kill(pid, 'SIGSTOP'),
    thaw: async () => void process.kill(pid, 'SIGCONT'),
    close: async () => {
      cli.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

async function run(folder: string, port: number, settings: readonly string[]): Promise<Supervised> {
  const always = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--maxmemory-policy', 'volatile-lfu'];
  const server = superviseRedis(folder, [...always, ...settings]);
  try {
    await server.says(/ready to accept connections/i, 15_000);
    await acceptsConnections(port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Runs redis-server with these arguments. */
export function superviseRedis(folder: string, args: readonly string[]): Supervised {
  const found = findRedis(process.env.PATH ?? '', undefined);
  if (found.kind === 'none') throw new Error(`No Redis to start: ${found.reason}.`);
  return supervise({ program: found.path, args, folder, user: undefined, stopSignal: 'TERM' });
}
