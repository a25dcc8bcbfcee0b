// Who is compared: what each one is, how its process is started, and where it is then.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { programAt } from '../support/program.js';
import type { Servers } from '../support/servers.js';
import type { Cores } from './cores.js';
import { type Use, useOf } from './processes.js';
import { MASTER_KEY, PEPPER } from './secrets.js';
import type { Databases } from './seed.js';
import type { WorkloadName } from './workloads.js';

export interface Entrant {
  readonly name: string;
  readonly title: string;
  /** The program of a peer and which of its sides; or settings of Espelho. */
  readonly runs:
    | { readonly kind: 'peer'; readonly file: string; readonly side: string }
    | { readonly kind: 'espelho'; readonly env: Readonly<Record<string, string>> };
  readonly workers: number;
  /** Workloads that would take too long, or say nothing, unless they are asked for by name. */
  readonly notIn: readonly WorkloadName[];
  /** False for the one that gives the same bytes to everybody. */
  readonly answers: boolean;
}

const peer = (
  name: string,
  title: string,
  file: string,
  side: string,
  notIn: readonly WorkloadName[] = [],
): Entrant => ({
  name,
  title,
  runs: { kind: 'peer', file, side },
  workers: 1,
  notIn,
  answers: side !== 'constant',
});

const espelho = (
  name: string,
  title: string,
  env: Readonly<Record<string, string>>,
  workers = 1,
  notIn: readonly WorkloadName[] = [],
): Entrant => ({ name, title, runs: { kind: 'espelho', env }, workers, notIn, answers: true });

export const entrants: readonly Entrant[] = [
  peer('p0b', 'P0b node:http, constant bytes', 'raw.mjs', 'constant', ['mixed', 'batch', 'large', 'scopes']),
  peer('p0', 'P0 node:http + one Redis GET', 'raw.mjs', 'redis'),
  peer('yoga', 'Yoga, cache-aside by hand, default', 'yoga.mjs', 'default', ['scopes']),
  peer('yoga-lean', 'Yoga, cache-aside by hand, lean, JIT', 'yoga.mjs', 'lean'),
  peer('yoga-plugin', 'Yoga, response-cache plugin on Redis', 'yoga.mjs', 'plugin', ['scopes']),
  peer('mercurius', 'Mercurius, JIT, mercurius-cache on Redis', 'mercurius.mjs', 'cached'),
  peer('apollo', 'Apollo Server, response cache on Redis', 'apollo.mjs', 'cached', ['scopes']),
  espelho('espelho', 'Espelho', {}),
  espelho('espelho-executed', 'Espelho, every request executed', { ESPELHO_ANSWERS_MB: '0' }),
  espelho('espelho-2', 'Espelho, 2 workers', { WORKERS: '2' }, 2, ['single', 'large', 'scopes']),
];

/** An entrant while it runs. */
export interface Running {
  readonly entrant: Entrant;
  readonly port: number;
  /** See `Contestant`. */
  readonly lane: number;
  readonly use: () => Use;
  readonly stop: () => Promise<void>;
}

export interface Place {
  readonly servers: Servers;
  readonly databases: Databases;
  readonly cores: Cores;
  /** Folder of the peers' programs. */
  readonly peers: string;
}

/** @throws {Error} with its last words when it ends before it serves. */
export async function start(entrant: Entrant, lane: number, place: Place): Promise<Running> {
  const [program = '', ...args] = [
    ...place.cores.forServer(entrant.workers),
    process.execPath,
    ...commandOf(entrant, lane, place),
  ];
  const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...environmentOf(entrant, place) };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await portOf(child, entrant.name);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { entrant, port, lane, use: () => useOf(child.pid ?? 0), stop };
}

function commandOf({ runs }: Entrant, lane: number, { servers, databases, peers }: Place): string[] {
  if (runs.kind === 'espelho') return espelhoCommand(['serve']);
  const setting = {
    side: runs.side,
    databaseUrl: databases.plainUrl,
    redisUrl: `${servers.redisUrl}/${lane + 1}`, // Espelho has the first one
    pepper: PEPPER,
  };
  return [`${peers}${runs.file}`, JSON.stringify(setting)];
}

function environmentOf({ runs }: Entrant, { servers, databases }: Place): Readonly<Record<string, string>> {
  return runs.kind === 'peer' ? {} : { ...espelhoEnvironment(servers, databases.espelhoUrl), ...runs.env };
}

/** The gateway's own command, for Node. */
export function espelhoCommand(args: readonly string[]): string[] {
  const { file, flags } = programAt('../../src/cli/index', import.meta.url);
  return [...flags, file, ...args];
}

/** As in production, but that anybody may send any document, nobody's rate is limited, and requests are not logged one by one. */
export function espelhoEnvironment(servers: Servers, databaseUrl: string): Readonly<Record<string, string>> {
  return {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: servers.redisUrl,
    ESPELHO_TOKEN_PEPPER: PEPPER,
    ESPELHO_MASTER_KEY: MASTER_KEY,
    ESPELHO_DOCUMENTS: 'any',
    ESPELHO_RATE_TOKEN: '0',
    ESPELHO_RATE_ADDRESS: '0',
    ESPELHO_RATE_INTROSPECT: '0',
    ESPELHO_TTL_TOKEN: '3600', // as long as the peers keep theirs
    LOG_LEVEL: 'warn',
  };
}

async function portOf(child: ChildProcess, name: string): Promise<number> {
  let said = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
      const port = /ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port) resolve(Number(port));
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', (chunk: Buffer) => {
      hear(chunk);
      process.stderr.write(chunk);
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}; its last words:\n${said}`)));
  });
}
