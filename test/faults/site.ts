// Everything that a run starts: Postgres, Redis, gateways and the links between them; and its end, whatever happens.
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onFreePort } from '../../src/embedded/port.js';
import { GatewayProcess } from './gateway-process.js';
import { Link } from './link.js';
import { Postgres } from './postgres.js';
import { openCluster } from './redis-cluster.js';
import { openSentinel } from './redis-sentinel.js';
import type { RedisSide, Topology } from './redis-side.js';
import { openStandalone } from './redis-standalone.js';
import { followSession, scriptDigests } from './wire.js';

export interface SiteOptions {
  readonly topology: Topology;
  readonly gateways: number;
  /** Of each gateway; one unless given. */
  readonly workers?: number;
  /** Holds `dist`, built, beside the packages and migrations that it needs. */
  readonly root: string;
  readonly onDeath: (gateway: string, how: string) => void;
  /** How long entries live, by the name that the environment has for their view; the defaults where none is named. */
  readonly ttlSeconds?: Readonly<Record<string, number>>;
}

export interface Site {
  readonly folder: string;
  readonly postgres: Postgres;
  readonly redis: RedisSide;
  readonly gateways: readonly GatewayProcess[];
  /** By gateway. */
  readonly postgresLinks: readonly Link[];
  /** Two versions of the gateway, which store some views in different forms. */
  readonly roots: readonly [string, string];
  readonly digests: ReadonlyMap<string, string>;
  /** Stops everything, and removes what is not worth reading. */
  readonly close: () => Promise<void>;
}

const RATES = ['FAILURES', 'ISSUE', 'INTROSPECT', 'REVEAL'];
const PEPPER = 'a pepper for fault runs, with more than 32 characters';
const SCOPES = 'menus:read,menus:write,flags:read,flags:write,flags:evaluate,security:read,security:write,tokens:read';
/** Some short, so that refills race with everything else; some long, so that what is old could still be there. */
const TTL_SECONDS = { MENU: 9, FLAGS: 60, PARAMETER: 30, SECURITY_LIST: 12, TOKEN: 60, TOKEN_ID: 10 };

export async function openSite(options: SiteOptions): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-faults-'));
  await chmod(folder, 0o755);
  const closers: (() => Promise<unknown>)[] = [];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(folder, closers);
    return closing;
  };
  try {
    return await open(folder, options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Stops everything, the last started first; only logs stay. */
async function closeAll(folder: string, closers: (() => Promise<unknown>)[]): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer().catch(() => {});
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.log')) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 20 });
  }
}

async function open(
  folder: string,
  { topology, gateways: count, workers = 1, root, onDeath, ttlSeconds = TTL_SECONDS }: SiteOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Site> {
  const roots = await copyVersions(folder, root);
  const postgres = await Postgres.start(join(folder, 'home'));
  closers.push(async () => {
    await postgres.stop();
    if (!postgres.folder.startsWith(folder)) await rm(postgres.folder, { recursive: true, force: true });
  });
  const redis = await openRedis(topology, join(folder, 'redis'), count);
  closers.push(redis.close);
  const postgresLinks: Link[] = [];
  for (let at = 0; at < count; at++) {
    const link = await Link.open({ target: () => postgres.target, watch: followSession });
    postgresLinks.push(link);
    closers.push(() => link.close());
  }
  const env = {
    ESPELHO_TOKEN_PEPPER: PEPPER,
    ESPELHO_MASTER_KEY: '0123456789abcdef'.repeat(4),
    ESPELHO_HOME: join(folder, 'gateway'),
    LOG_LEVEL: 'warn',
    WORKERS: String(workers),
    // One request reads all keys of a domain, and one client does what many would.
    ESPELHO_LIMIT_ALIASES: '100',
    ESPELHO_LIMIT_ROOT_FIELDS: '100',
    ...Object.fromEntries(RATES.map((rate) => [`ESPELHO_RATE_${rate}`, '0'])),
  };
  const ttls = Object.entries(ttlSeconds).map(([view, seconds]) => [`ESPELHO_TTL_${view}`, String(seconds)]);
  let token = '';
  const gateways: GatewayProcess[] = [];
  for (const [at, link] of postgresLinks.entries()) {
    const name = `g${at + 1}`;
    const gateway = new GatewayProcess(roots[0], {
      name,
      port: await onFreePort(async (port) => port),
      logFile: join(folder, `${name}.log`),
      env: {
        ...env,
        ...Object.fromEntries(ttls),
        DATABASE_URL: postgres.url({ port: link.port }),
        REDIS_URL: redis.url(at),
      },
      token: () => token,
      onDeath: (how) => onDeath(name, how),
    });
    gateways.push(gateway);
    closers.push(() => gateway.close());
  }
  token = await issueToken(roots[0], { ...env, DATABASE_URL: postgres.url() });
  await Promise.all(gateways.map((gateway) => gateway.start()));
  const digests = await scriptDigests(roots[0]);
  return { folder, postgres, redis, gateways, postgresLinks, roots, digests, close };
}

function openRedis(topology: Topology, folder: string, gateways: number): Promise<RedisSide> {
  if (topology === 'standalone') return openStandalone(folder, gateways);
  return topology === 'cluster' ? openCluster(folder, gateways) : openSentinel(folder, gateways);
}

/** Copies what was built, so that nobody builds it anew under a run; the second copy stores menus and parameters anew. */
async function copyVersions(folder: string, root: string): Promise<[string, string]> {
  const copies: [string, string] = [join(folder, 'v1'), join(folder, 'v2')];
  for (const copy of copies) {
    await mkdir(copy);
    await cp(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    await cp(join(root, 'package.json'), join(copy, 'package.json'));
    for (const name of ['node_modules', 'drizzle']) await symlink(join(root, name), join(copy, name));
  }
  for (const file of ['menu.js', 'security-parameter.js']) {
    const path = join(copies[1], 'dist/resolvers', file);
    const code = await readFile(path, 'utf8');
    const raised = code.replace(/\bformat: (\d+)/, (_, format) => `format: ${Number(format) + 1}`);
    if (raised === code) throw new Error(`${file} declares no format.`);
    await writeFile(path, raised);
  }
  return copies;
}

async function issueToken(root: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { execFile } = await import('node:child_process');
  const args = ['token', 'issue', '--name', 'faults', '--subject', 'faults', '--json', '--scopes'];
  const scopes = `${SCOPES},tokens:write,tokens:introspect,tokens:grant,cache:read`;
  return new Promise((resolve, reject) => {
    const command = [`${root}/dist/cli/index.js`, ...args, scopes];
    execFile(process.execPath, command, { env: { PATH: process.env.PATH ?? '', ...env } }, (error, out) => {
      if (error) reject(error);
      else resolve(String((JSON.parse(out) as { token: string }).token));
    });
  });
}
