// The composition root: from an environment to a gateway that serves, and from a signal to a machine without a trace
// of it but its data.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Config, ConfigError, readConfig } from './config.js';
import { isWriteToLostSocket } from './db/index.js';
import { type Embedded, loadOrCreateSecret, openEmbedded } from './embedded/index.js';
import { type Gateway, keepingOf, standingOf, startGateway, traceOf } from './gateway.js';
import {
  contextOfEvent,
  introspection,
  issueDemoTokens,
  loadDemoData,
  remoteFlags,
  type Services,
  views,
  warmPage,
} from './resolvers/index.js';
import { codedError, schema } from './schema/index.js';
import {
  exampleOperations,
  type Meter,
  makeLogger,
  networksOf,
  type RunningServer,
  readManifest,
  startServer,
  type TrustedDocuments,
} from './server/index.js';

/** What a start needs to take down again, the last opened first. */
type Closer = () => Promise<unknown>;

/**
 * Serves until SIGINT or SIGTERM, then ends every process that it started.
 * @throws ConfigError with every fault at once, or what kept a server from starting; nothing runs on then.
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(
    env,
    views.map(({ name }) => name),
  );
  const closers: Closer[] = [];
  const stop = stopper(closers);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.on('uncaughtException', surviveDriverFault);
  try {
    const { url, lines } = await open(config, closers);
    console.log(
      [`Espelho is ready at ${url}/graphql`, ...lines.map((line) => `  ${line}`), 'Stop it with Ctrl-C.'].join('\n'),
    );
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function open(config: Config, closers: Closer[]): Promise<{ url: string; lines: readonly string[] }> {
  const logger = makeLogger({ level: config.logLevel });
  const embedded =
    config.databaseUrl === undefined ? await openEmbedded(config.home, { redis: !config.redisUrl }) : undefined;
  if (embedded) closers.unshift(embedded.close);
  const privateRedis = embedded?.redis.kind === 'running' ? embedded.redis.url : undefined;
  const gateway = await startGateway({
    databaseUrl: config.databaseUrl ?? embedded?.databaseUrl ?? '',
    redisUrl: config.redisUrl ?? privateRedis,
    pepper: config.tokenPepper ?? (await loadOrCreateSecret(config.home, 'token-pepper')),
    masterKey: config.masterKey ?? (await loadOrCreateSecret(config.home, 'master-key')),
    oldMasterKey: config.oldMasterKey,
    auditKey: config.auditKey,
    statementTimeoutMs: config.edge.statementMs,
    partitions: config.partitions,
    ttlMs: config.ttlMs,
    logger,
  });
  closers.unshift(gateway.close);
  const demo = config.demo ? await openDemo(gateway) : [];
  const controlSecret = randomBytes(32).toString('hex');
  const server = await openServer(config, gateway, controlSecret, logger);
  closers.unshift(server.close);
  await embedded?.announce(server.url, controlSecret);
  return { url: server.url, lines: [...bannerOf(config, embedded, gateway), ...demo] };
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

/** Root fields that are held to a low rate of their own. */
const METERED: ReadonlyMap<string, Meter> = new Map([
  ['issueToken', 'issue'],
  ['rotateToken', 'issue'],
  ['introspectToken', 'introspect'],
  ['revealSecret', 'reveal'],
]);

async function openServer(
  config: Config,
  { services, contextOf, readiness, allowances }: Gateway,
  controlSecret: string,
  logger: ReturnType<typeof makeLogger>,
): Promise<RunningServer> {
  const { limits, rates, origins, proxies, graphiql, introspection: isTold, trustedOnly, manifest } = config.edge;
  return startServer({
    ...config.http,
    limits,
    rates,
    allowances,
    origins: new Set(origins),
    proxies: networksOf(proxies),
    introspection: isTold,
    trusted: manifest === undefined ? undefined : await documentsIn(manifest),
    trustedOnly,
    metered: METERED,
    standingOf,
    keepingOf: (ctx) => keepingOf(ctx, config.edge.maxAgeSeconds),
    schema,
    contextOf,
    codedError,
    callerOfEvent: contextOfEvent,
    traceOf,
    readiness,
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

function bannerOf(config: Config, embedded: Embedded | undefined, { storeName }: Gateway): string[] {
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

/** One Ctrl-C may come twice, from the terminal and from npm; what comes within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** Stops in good order at the first signal; a later one does not wait. */
function stopper(closers: Closer[]): () => void {
  let stoppingSince: number | undefined;
  return () => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    closeAll(closers).then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Espelho did not stop cleanly:', error instanceof Error ? error.message : error);
        process.exit(1);
      },
    );
  };
}

/** The one exception that is no reason to end: what the driver wrote to was gone, and its promise has been rejected. */
function surviveDriverFault(error: unknown): void {
  if (isWriteToLostSocket(error)) return;
  console.error('Espelho met a defect and ends:', error);
  process.exit(1);
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.shift(); close; close = closers.shift()) await close();
}
