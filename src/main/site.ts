// What a machine opens once, however many processes serve on it: the servers of an embedded start, and the secrets.

import { randomBytes } from 'node:crypto';
import { type Config, ConfigError } from '../config.js';
import { type Embedded, loadOrCreateSecret, openEmbedded } from '../embedded/index.js';
import type { Closer } from './stopping.js';

/** The stores to use and the secrets to use them with; the same for all processes. */
export interface Site {
  readonly databaseUrl: string;
  /** Undefined means the in-process store. */
  readonly redisUrl: string | undefined;
  readonly pepper: string;
  readonly masterKey: string;
  /** What the command line shows to be let in. */
  readonly controlSecret: string;
}

/** Opens what `config` leaves to us; `closers` take it down again. @throws {ConfigError} when workers could not share a store. */
export async function openSite(
  config: Config,
  closers: Closer[],
): Promise<{ readonly site: Site; readonly embedded: Embedded | undefined }> {
  const { workers } = config.machine;
  if (workers > 1 && config.databaseUrl !== undefined && config.redisUrl === undefined) throw unshared(config);
  const embedded =
    config.databaseUrl === undefined ? await openEmbedded(config.home, { redis: !config.redisUrl }) : undefined;
  if (embedded) closers.unshift(embedded.close);
  const redisUrl = config.redisUrl ?? (embedded?.redis.kind === 'running' ? embedded.redis.url : undefined);
  if (workers > 1 && redisUrl === undefined) throw unshared(config);
  const site = {
    databaseUrl: config.databaseUrl ?? embedded?.databaseUrl ?? '',
    redisUrl,
    pepper: config.tokenPepper ?? (await loadOrCreateSecret(config.home, 'token-pepper')),
    masterKey: config.masterKey ?? (await loadOrCreateSecret(config.home, 'master-key')),
    controlSecret: randomBytes(32).toString('hex'),
  };
  return { site, embedded };
}

function unshared({ machine, databaseUrl }: Config): ConfigError {
  // A private Redis is started beside a private Postgres alone.
  const remedy = databaseUrl === undefined ? 'set REDIS_URL, install redis-server,' : 'set REDIS_URL,';
  return new ConfigError([
    `WORKERS=${machine.workers} takes a Redis that the workers share, and there is none: ${remedy} or leave WORKERS unset.`,
  ]);
}

/** What the start tells of the stores. */
export function linesOf(config: Config, embedded: Embedded | undefined, storeName: string): string[] {
  const postgres = embedded
    ? `Postgres ${embedded.where.postgresVersion.split('-')[0]} (embedded)`
    : 'Postgres (DATABASE_URL)';
  const store = config.redisUrl
    ? `${storeName} (REDIS_URL)`
    : embedded?.redis.kind === 'running'
      ? `${storeName} (private)`
      : storeName;
  const lines = [`stores: ${postgres} and ${store}`];
  if (config.edge.trustedOnly && config.edge.manifest === undefined) {
    lines.push(
      'no trusted documents: only tokens with ad-hoc may send operations; set ESPELHO_MANIFEST, or ESPELHO_DOCUMENTS=any',
    );
  }
  if (embedded?.redis.kind === 'absent' && !config.redisUrl) lines.push(`no private Redis: ${embedded.redis.reason}`);
  if (embedded) lines.push(`files: ${[...new Set([embedded.where.home, embedded.where.data])].join(' and ')}`);
  return lines;
}
