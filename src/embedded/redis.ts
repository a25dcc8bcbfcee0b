// A private Redis or Valkey for a development start, when this machine has one: loopback only, on a free port, behind a
// password, a pure cache that keeps nothing on disk.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { makeServerFolder, type Place } from './home.js';
import { acceptsConnections, onFreePort } from './port.js';
import { supervise } from './supervise.js';
import type { ServerUser } from './user.js';

export type RedisServer = {
  readonly url: string;
  /** Such as "redis-server 7.0.15". */
  readonly program: string;
  readonly stop: () => Promise<void>;
};

export type FoundRedis =
  | { readonly kind: 'found'; readonly path: string; readonly program: string }
  | { readonly kind: 'none'; readonly reason: string };

const names = ['redis-server', 'valkey-server'] as const;
const oldestMajor = 7;
const readyMs = 15_000;

/** The first redis-server or valkey-server on `path` that is new enough and that `user` may run; else why there is none. */
export function findRedis(path: string, user: ServerUser | undefined): FoundRedis {
  const refusals: string[] = [];
  for (const name of names) {
    const file = path
      .split(delimiter)
      .filter(isAbsolute)
      .map((folder) => join(folder, name))
      .find(isExecutable);
    if (file === undefined) continue;
    const version = versionOf(file, user);
    const program = `${name} ${version}`;
    if (version === undefined) refusals.push(`${file} does not run${user ? ` as ${user.name}` : ''}`);
    else if (Number.parseInt(version, 10) < oldestMajor) refusals.push(`${program} is older than ${oldestMajor}.0`);
    else return { kind: 'found', path: file, program };
  }
  return { kind: 'none', reason: refusals.join('; ') || 'there is no redis-server or valkey-server on the PATH' };
}

/**
 * Starts the Redis that was found and resolves once it accepts connections.
 * @throws {ServerFailed} when it does not get ready.
 */
export async function startRedis(place: Place, found: FoundRedis & { kind: 'found' }): Promise<RedisServer> {
  const folder = await makeServerFolder(place, 'redis');
  const password = randomBytes(24).toString('hex');
  return onFreePort(async (port) => {
    const server = supervise({
      program: found.path,
      args: ['-'],
      folder,
      user: place.user,
      stopSignal: 'TERM',
      input: configuration(port, password, folder),
    });
    try {
      await server.says(/ready to accept connections/i, readyMs);
      await acceptsConnections(port);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { url: `redis://default:${password}@127.0.0.1:${port}`, program: found.program, stop: server.stop };
  });
}

// volatile-lfu: under memory pressure entries go, which all carry a TTL, and the engine's own bookkeeping stays.
function configuration(port: number, password: string, folder: string): string {
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'maxmemory 256mb',
    'maxmemory-policy volatile-lfu',
    `dir ${JSON.stringify(folder)}`,
    'daemonize no',
    'logfile ""',
  ];
  return `${lines.join('\n')}\n`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(file: string, user: ServerUser | undefined): string | undefined {
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  const { stdout } = spawnSync(file, ['--version'], { cwd: '/', encoding: 'utf8', timeout: 5_000, ...identity });
  return /\bv=(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
}
