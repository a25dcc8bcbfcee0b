// A gateway as it stands on the internet: started by its own command in production, over servers that tests stop and look
// into, with all that it writes to its log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { answersIn, type PlainAnswer } from '../fuzz/answer.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';

export const KEYS = {
  pepper: 'a planted pepper, which nobody may ever see anywhere',
  masterKey: '5eed'.repeat(16),
} as const;

export interface HostileSite {
  readonly url: string;
  readonly port: number;
  /** By role, of the demo. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  /** The lines of its log so far, without what it prints for its operator at the start. */
  readonly log: () => string;
  readonly isAlive: () => boolean;
  readonly close: () => Promise<void>;
}

/** Starts it; `env` is set beside what it needs. On a machine too busy to write the demo data, once more. */
export async function openHostileSite(env: NodeJS.ProcessEnv = {}): Promise<HostileSite> {
  const [database, redis] = await Promise.all([createDatabase(), startRedisServer()]);
  for (let time = 1; ; time += 1) {
    try {
      return await open(database, redis, env);
    } catch (error) {
      if (time === 3) throw error;
    }
  }
}

async function open(database: TestDatabase, redis: RedisServer, env: NodeJS.ProcessEnv): Promise<HostileSite> {
  const cli = fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url));
  const gateway = spawn(process.execPath, ['--import', 'tsx', cli, 'serve'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      ESPELHO_DEMO: '1',
      ESPELHO_TOKEN_PEPPER: KEYS.pepper,
      ESPELHO_MASTER_KEY: KEYS.masterKey,
      ESPELHO_RATE_ADDRESS: '0',
      ESPELHO_RATE_TOKEN: '0',
      ESPELHO_RATE_FAILURES: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let banner = '';
  let log = '';
  gateway.stdout.on('data', (chunk) => {
    banner += chunk;
  });
  gateway.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const isAlive = () => gateway.exitCode === null && gateway.signalCode === null;
  await eventually(() => {
    if (!isAlive()) throw new Error(`The gateway ended:\n${banner}${log}`);
    return banner.includes('Stop it with');
  }, 100_000);
  const [, url = ''] = /ready at (\S+)\/graphql/.exec(banner) ?? [];
  return {
    url,
    port: Number(new URL(url).port),
    tokens: new Map([...banner.matchAll(/token for (\S+): (\S+)/g)].map(([, role = '', token = '']) => [role, token])),
    database,
    redis,
    log: () => log,
    isAlive,
    close: async () => {
      if (isAlive()) {
        gateway.kill('SIGTERM');
        await once(gateway, 'exit');
      }
      await redis.close();
      await database.close();
    },
  };
}

/** Sends bytes as they are; resolves to the first whole answer, and to undefined where the gateway closes without one. */
export function send(port: number, bytes: Buffer | string): Promise<PlainAnswer | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = () => {
      const [answer] = answersIn(received).answers;
      if (answer || socket.readableEnded || socket.destroyed) {
        resolve(answer);
        socket.destroy();
      }
    };
    socket.on('connect', () => socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      settle();
    });
    socket.on('error', () => {}); // it may close while we send
    socket.on('close', settle);
  });
}
