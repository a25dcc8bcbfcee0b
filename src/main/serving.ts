// One gateway behind its HTTP edge: what every process that serves consists of.

import type { Config } from '../config.js';
import { type Gateway, startGateway } from '../gateway.js';
import { issueDemoTokens, loadDemoData } from '../resolvers/index.js';
import { type Logger, metricsText, type RunningServer, type Sample } from '../server/index.js';
import { boundGarbage } from './collector.js';
import { type Among, openEdge } from './edge.js';
import { Measures } from './measures.js';
import type { Site } from './site.js';
import type { Closer } from './stopping.js';

export interface ServingOptions {
  readonly config: Config;
  readonly site: Site;
  readonly http: Config['http'];
  readonly logger: Logger;
  /** By which the numbers name this process. */
  readonly name: string;
  /** Left out, this process is the only one. */
  readonly among?: Among;
  /** Whether to load demo data and issue demo tokens. */
  readonly demo: boolean;
}

export interface Serving {
  readonly server: RunningServer;
  readonly gateway: Gateway;
  readonly samples: () => readonly Sample[];
  /** Of the demo data, for the banner. */
  readonly lines: readonly string[];
}

/** Connections to Postgres for reads, and for writes, of all processes of a machine together. */
const SESSIONS = 8;
/** With fewer in a process, one that waits for a lock would hold up the rest. */
const FEWEST_SESSIONS = 2;

/** Opens a gateway and listens; `closers` take it down again. */
export async function openServing(options: ServingOptions, closers: Closer[]): Promise<Serving> {
  const { config, site, http, logger, name, among } = options;
  const { workers } = config.machine;
  const { databaseUrl, redisUrl, pepper, masterKey, controlSecret } = site;
  boundGarbage();
  const gateway = await startGateway({
    databaseUrl,
    redisUrl,
    pepper,
    masterKey,
    oldMasterKey: config.oldMasterKey,
    auditKey: config.auditKey,
    statementTimeoutMs: config.edge.statementMs,
    partitions: config.partitions,
    ttlMs: config.ttlMs,
    logger,
    ...(workers > 1 && { migrated: true, sessions: Math.max(FEWEST_SESSIONS, Math.ceil(SESSIONS / workers)) }),
  });
  closers.unshift(gateway.close);
  const lines = options.demo ? await openDemo(gateway) : [];
  const measures = new Measures(gateway.services.cache);
  const samples = (): readonly Sample[] => measures.samples(server.work(), name);
  const metrics = async () => metricsText(samples());
  const server = await openEdge(gateway, { config, http, controlSecret, logger, metrics, among });
  closers.unshift(server.close);
  return { server, gateway, samples, lines };
}

/** Demo data and tokens, as lines of the banner. They are written like any other data, which takes a cache to confirm it. */
async function openDemo({ services }: Gateway): Promise<string[]> {
  if (!services.cache.status().trusted) {
    return [
      'no demo data or tokens: Redis is out of reach, so nothing can be written; check REDIS_URL and start again',
    ];
  }
  await loadDemoData(services);
  const tokens = await issueDemoTokens(services);
  return [...tokens].map(([role, token]) => `token for ${role}: ${token}`);
}
