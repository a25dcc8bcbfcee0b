// A gateway to be counted, with a Redis and a database that nobody else uses, and the counters between them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { type Counter, countPostgres, countRedis, type SeenCommand, type SeenStatement } from './counters.js';
import type { Mark } from './gateway.js';

export interface Site {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  readonly commands: Counter<SeenCommand>;
  readonly statements: Counter<SeenStatement>;
  /** How large the heap is, after a collection if one is wanted. */
  readonly mark: (how: 'collect' | 'look') => Promise<Mark>;
  readonly close: () => Promise<void>;
}

/** What all requests of a measurement allocate fits twice. */
const YOUNG_MB = 64;

export async function openSite(): Promise<Site> {
  const [database, redis] = await Promise.all([createDatabase(), startRedisServer()]);
  const databaseUrl = new URL(database.url);
  const [statements, commands] = await Promise.all([countPostgres(Number(databaseUrl.port)), countRedis(redis.port)]);
  databaseUrl.port = String(statements.port);
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      `--min-semi-space-size=${YOUNG_MB}`,
      `--max-semi-space-size=${YOUNG_MB}`,
      ...['--import', 'tsx', fileURLToPath(new URL('gateway.ts', import.meta.url))],
    ],
    {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: databaseUrl.href,
        REDIS_URL: `redis://127.0.0.1:${commands.port}`,
        ESPELHO_TOKEN_PEPPER: 'a pepper for tests, with more than 32 characters',
        ESPELHO_MASTER_KEY: '0123456789abcdef'.repeat(4),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const [started] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The gateway ended with ${code}.`))),
  ])) as [{ url: string; tokens: Record<string, string> }];
  return {
    ...started,
    database,
    redis,
    commands,
    statements,
    mark: (how) => ask(child, how),
    close: async () => {
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await Promise.all([commands.close(), statements.close(), redis.close()]);
      await database.close();
    },
  };
}

async function ask(child: ChildProcess, how: string): Promise<Mark> {
  const answered = once(child, 'message');
  child.send(how);
  const [mark] = (await answered) as [Mark];
  return mark;
}
