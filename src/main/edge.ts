// The HTTP edge of one gateway, as the configuration says.

import { readFile } from 'node:fs/promises';
import { basesOf } from '../basis.js';
import { keepingOf, standingOf, traceOf } from '../caller.js';
import { type Config, ConfigError } from '../config.js';
import type { Gateway } from '../gateway.js';
import { contextOfEvent, introspection, remoteFlags, type Services, warmPage } from '../resolvers/index.js';
import { codedError, schema } from '../schema/index.js';
import {
  ALONE,
  exampleOperations,
  type Logger,
  type Meter,
  networksOf,
  type RunningServer,
  readManifest,
  type ServerOptions,
  startServer,
  type TrustedDocuments,
} from '../server/index.js';

/** What a process that is one of several has others answer for it. */
export type Among = Pick<ServerOptions<object>, 'liveness' | 'readiness' | 'metrics'>;

export interface EdgeOptions {
  readonly config: Config;
  readonly http: Config['http'];
  readonly controlSecret: string;
  readonly logger: Logger;
  readonly metrics: () => Promise<string>;
  readonly among: Among | undefined;
}

/** Root fields that are held to a low rate of their own. */
const METERED: ReadonlyMap<string, Meter> = new Map([
  ['issueToken', 'issue'],
  ['rotateToken', 'issue'],
  ['introspectToken', 'introspect'],
  ['revealSecret', 'reveal'],
]);

/** Starts to listen for requests to `gateway`. */
export async function openEdge(
  { services, contextOf, readiness, allowances }: Gateway,
  { config, http, controlSecret, logger, metrics, among }: EdgeOptions,
): Promise<RunningServer> {
  const { limits, rates, origins, proxies, graphiql, introspection: isTold, trustedOnly, manifest } = config.edge;
  const { workers, metricsBesideRequests } = config.machine;
  const maxBytes = config.edge.answersMb * 1_048_576;
  return startServer({
    ...http,
    limits,
    rates,
    allowances,
    shareAlone: ALONE / workers,
    origins: new Set(origins),
    proxies: networksOf(proxies),
    introspection: isTold,
    trusted: manifest === undefined ? undefined : await documentsIn(manifest),
    trustedOnly,
    answers: maxBytes > 0 ? { maxBytes, ...basesOf(services) } : undefined,
    metered: METERED,
    standingOf,
    keepingOf: (ctx) => keepingOf(ctx, config.edge.maxAgeSeconds, services.cache),
    schema,
    contextOf,
    codedError,
    callerOfEvent: contextOfEvent,
    traceOf,
    readiness,
    ...among,
    metrics: metricsBesideRequests ? (among?.metrics ?? metrics) : undefined,
    introspect: introspection,
    flags: remoteFlags,
    inspect: (view, key) => services.cache.inspect(view, key),
    warm: (view, after) => warmView(services, view, after),
    verify: async (view, keys, how) =>
      services.cache.caches(view) ? services.cache.verify(view, keys, how) : undefined,
    controlSecret,
    logger,
    graphiql: graphiql ? { examples: exampleOperations(new Date()) } : undefined,
    production: config.production,
  });
}

/** @throws ConfigError where there is no such file; UnusableManifest. */
async function documentsIn(manifest: string): Promise<TrustedDocuments> {
  const text = await readFile(manifest, 'utf8').catch(() => {
    throw new ConfigError(['ESPELHO_MANIFEST must be the path of a file that this user may read.']);
  });
  return readManifest(text);
}

async function warmView({ cache, query }: Services, view: string, after: string | undefined) {
  if (!cache.caches(view)) return undefined;
  return warmPage(query, (keys) => cache.warm(view, keys), view, after);
}
