// The gateway's configuration, read once from the environment. Every fault is reported in one go, each with what to do;
// no fault shows a secret or a URL, which may hold a password.

import { resolve } from 'node:path';
import { z } from 'zod';
import { type EdgeConfig, edgeSettings, readEdge } from './config/edge.js';
import { unsafeLinks } from './config/links.js';
import { type MachineConfig, machineSettings, readMachine } from './config/machine.js';

export type Config = {
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Whether PORT was set: only a default may give way to the next free port. */
    readonly portIsExplicit: boolean;
  };
  /** Undefined means: run an embedded Postgres. */
  readonly databaseUrl: string | undefined;
  /** Undefined means: run a private Redis where there is one, else use the in-process store. */
  readonly redisUrl: string | undefined;
  /** Absolute path of the folder for the files of an embedded start. */
  readonly home: string;
  /** Undefined means: make one and keep it in the home folder. */
  readonly tokenPepper: string | undefined;
  /** 32 bytes as 64 hex digits. Undefined means: make one and keep it in the home folder. */
  readonly masterKey: string | undefined;
  /** A second one, which opens what it has sealed and seals nothing: the one before, or the next one. In the same form. */
  readonly oldMasterKey: string | undefined;
  /** What the key of the audit log is drawn from. Undefined means: the pepper. */
  readonly auditKey: string | undefined;
  /** The one before, for reading what it has sealed. */
  readonly oldAuditKey: string | undefined;
  /** Whether to load demo data; without ESPELHO_DEMO only into an embedded Postgres. */
  readonly demo: boolean;
  /** The time to live of views whose default is overridden. */
  readonly ttlMs: ReadonlyMap<string, number>;
  /** Undefined means: what the database was first used with, 16 in a new one. */
  readonly partitions: number | undefined;
  readonly edge: EdgeConfig;
  readonly machine: MachineConfig;
  readonly logLevel: LogLevel;
  readonly production: boolean;
};

export type LogLevel = (typeof logLevels)[number];

/** The environment is not usable; `faults` has one sentence for each thing to set right. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n- ${faults.join('\n- ')}`,
    );
    this.faults = faults;
  }
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const maxTtlSeconds = 31_536_000; // a year
const ttlPrefix = 'ESPELHO_TTL_';

/**
 * The configuration that `env` describes; a variable set to nothing counts as not set.
 * `views` are the names of the views, whose times to live may be set; a relative home starts at `folder`.
 * @throws {ConfigError} with every fault at once.
 */
export function readConfig(env: NodeJS.ProcessEnv, views: readonly string[], folder = process.cwd()): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = variables.safeParse(set);
  const ttl = readTtls(set, views);
  const { edge, faults: edgeFaults } = readEdge(set);
  const { machine, faults: machineFaults } = readMachine(set);
  const faults = [
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? []),
    ...edgeFaults,
    ...machineFaults,
    ...ttl.faults,
    ...unknownVariables(set),
    ...missingInProduction(set),
    ...unsafeLinks(set),
    ...sameKeys(parsed.data),
  ];
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  const { PORT, HOST, DATABASE_URL, REDIS_URL, ESPELHO_HOME, ESPELHO_DEMO, ...rest } = parsed.data;
  return {
    http: { host: HOST, port: PORT ?? 4000, portIsExplicit: PORT !== undefined },
    databaseUrl: DATABASE_URL,
    redisUrl: REDIS_URL,
    home: resolve(folder, ESPELHO_HOME),
    tokenPepper: rest.ESPELHO_TOKEN_PEPPER,
    masterKey: rest.ESPELHO_MASTER_KEY,
    oldMasterKey: rest.ESPELHO_MASTER_KEY_OLD,
    auditKey: rest.ESPELHO_AUDIT_KEY,
    oldAuditKey: rest.ESPELHO_AUDIT_KEY_OLD,
    demo: ESPELHO_DEMO ?? DATABASE_URL === undefined,
    ttlMs: ttl.ttlMs,
    partitions: rest.ESPELHO_PARTITIONS,
    edge: { ...edge, manifest: edge.manifest && resolve(folder, edge.manifest) },
    machine,
    logLevel: rest.LOG_LEVEL,
    production: rest.NODE_ENV === 'production',
  };
}

const variables = z.object({
  PORT: wholeNumber(0, 65_535, 'leave it unset for 4000').optional(),
  HOST: z
    .string()
    .regex(/^[\w.:%-]+$/, 'must be an address or a host name, such as 127.0.0.1, or 0.0.0.0 to listen everywhere.')
    .default('127.0.0.1'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database').optional(),
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, {
      error:
        'must look like redis://user:password@host:6379, redis+cluster://user:password@host:6379,host:6379 or ' +
        'redis+sentinel://user:password@host:26379,host:26379/master-name, or begin with rediss for TLS; write special ' +
        'characters of the password as %xx.',
    })
    .optional(),
  ESPELHO_HOME: z.string().default('.espelho'),
  ESPELHO_TOKEN_PEPPER: longSecret(),
  ESPELHO_AUDIT_KEY: longSecret(),
  ESPELHO_AUDIT_KEY_OLD: longSecret(),
  ESPELHO_MASTER_KEY: masterKey('make one with: openssl rand -hex 32').optional(),
  ESPELHO_MASTER_KEY_OLD: masterKey('leave it unset unless "espelho rekey" is still to be done').optional(),
  ESPELHO_DEMO: z
    .enum(['0', '1'], { error: 'must be 1 (load demo data) or 0 (do not).' })
    .transform((value) => value === '1')
    .optional(),
  ESPELHO_PLAINTEXT: z.enum(['0', '1'], { error: 'must be 1 (links without TLS are fine) or 0.' }).optional(),
  ESPELHO_PARTITIONS: wholeNumber(1, 256, 'leave it unset for 16').optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}.` }).default('info'),
  NODE_ENV: z.string().optional(),
});

function longSecret() {
  return z.string().min(32, 'must have 32 characters or more; make one with: openssl rand -hex 32').optional();
}

function wholeNumber(min: number, max: number, otherwise: string) {
  const error = `must be a whole number from ${min} to ${max}; ${otherwise}.`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((number) => number >= min && number <= max, { error });
}

function url(protocols: readonly string[], example: string) {
  const fits = (value: string) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) && new URL(value).host;
  const error = `must look like ${example}; write special characters of the password as %xx.`;
  return z.string().refine(fits, { error });
}

/** One server; nodes of a cluster; or sentinels, who must be told the name of the master. */
function isRedisUrl(text: string): boolean {
  const form =
    /^rediss?(?<kind>\+cluster|\+sentinel)?:\/\/(?:(?<login>[^@/]*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^/?#]*))?(?<query>\?[^#]*)?$/i;
  const { kind = '', login = '', hosts = '', path = '', query = '' } = form.exec(text)?.groups ?? {};
  const isDecodable = [login, path].every((part) => !/%(?![\da-f]{2})/i.test(part));
  const servers = hosts.split(',');
  if (!isDecodable || !servers.every((server) => URL.canParse(`http://${server}`))) return false;
  const parameters = [...new URLSearchParams(query).keys()];
  if (kind.toLowerCase() === '+sentinel')
    return path !== '' && parameters.every((name) => name === 'sentinelUsername' || name === 'sentinelPassword');
  return query === '' && (kind === '' ? servers.length === 1 && /^\d*$/.test(path) : path === '');
}

function masterKey(otherwise: string) {
  const error = `must be 32 bytes, as 64 hex digits or in base64; ${otherwise}`;
  return z
    .string()
    .refine((key) => masterKeyOf(key) !== undefined, { error })
    .transform(masterKeyOf);
}

function masterKeyOf(text: string): string | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  if (/^[\w+/-]{43}=?$/.test(text)) return Buffer.from(text, 'base64').toString('hex');
  return undefined;
}

function readTtls(env: NodeJS.ProcessEnv, views: readonly string[]) {
  const viewOf = new Map(views.map((view) => [ttlPrefix + view.toUpperCase().replaceAll('-', '_'), view]));
  const ttlMs = new Map<string, number>();
  const faults: string[] = [];
  for (const [name, value] of Object.entries(env).filter(([name]) => name.startsWith(ttlPrefix))) {
    const view = viewOf.get(name);
    const seconds = /^\d{1,9}$/.test(value ?? '') ? Number(value) : 0;
    if (view === undefined) {
      faults.push(`${name} names no view.${hint(name, [...viewOf.keys()])} The views are: ${views.join(', ')}.`);
    } else if (seconds < 1 || seconds > maxTtlSeconds) {
      faults.push(`${name} must be a whole number of seconds from 1 to ${maxTtlSeconds}.`);
    } else {
      ttlMs.set(view, seconds * 1000);
    }
  }
  return { ttlMs, faults };
}

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = [...Object.keys(variables.shape), ...edgeSettings, ...machineSettings, 'ESPELHO_DATA_DIR']; // the tests' own
  const ours = (name: string) => name.startsWith('ESPELHO_') && !name.startsWith(ttlPrefix);
  return Object.keys(env)
    .filter((name) => ours(name) && !known.includes(name))
    .map((name) => `${name} is not a setting.${hint(name, known)} Correct it or remove it.`);
}

// Gateways that share a database must share the pepper; one that each makes for itself would refuse the others' tokens.
function missingInProduction(env: NodeJS.ProcessEnv): string[] {
  if (env.NODE_ENV !== 'production' || !env.DATABASE_URL) return [];
  return ['ESPELHO_TOKEN_PEPPER', 'ESPELHO_MASTER_KEY']
    .filter((name) => !env[name])
    .map((name) => `${name} must be set in production, the same for all gateways; make one with: openssl rand -hex 32`);
}

function sameKeys(data: Partial<Record<'ESPELHO_MASTER_KEY' | 'ESPELHO_MASTER_KEY_OLD', string | undefined>> = {}) {
  const { ESPELHO_MASTER_KEY: key, ESPELHO_MASTER_KEY_OLD: old } = data;
  return key !== undefined && key === old
    ? ['ESPELHO_MASTER_KEY_OLD is the same as ESPELHO_MASTER_KEY; give the one before it, or remove it.']
    : [];
}

function hint(name: string, known: readonly string[]): string {
  const bare = (text: string) => text.replace('ESPELHO_', '');
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(bare(name), bare(candidate)) }))
    .filter(({ distance }) => distance <= Math.min(3, bare(name).length / 3))
    .sort((a, b) => a.distance - b.distance);
  return nearest ? ` Did you mean ${nearest.candidate}?` : '';
}

/** Insertions, deletions and substitutions between two names (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const substitution = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
