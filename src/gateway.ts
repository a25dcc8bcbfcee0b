// Composes one gateway over given servers: database, store, engine, schema and HTTP edge, checked against each other.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type Allowances, Cache, type ChangeLog, COMPARED_SHARE, systemClock } from './cache/index.js';
import {
  auditSigner,
  claimStore,
  connect,
  findInstallation,
  isReachable,
  migrate,
  openChangeLog,
  type PostgresChangeLog,
  type Query,
} from './db/index.js';
import {
  AuditSealer,
  authenticate,
  type Context,
  contextOfViewer,
  countLocked,
  forgetExpiredKeys,
  masterKeyOf,
  NOBODY,
  readRuntimeTtls,
  type Services,
  TokenUses,
  Unauthenticated,
  views,
} from './resolvers/index.js';
import { openStore, requireSharedStore, type StoreOptions } from './store.js';

/** Where a gateway tells of its health; its facts are never secrets. */
export type GatewayLog = Readonly<Record<'info' | 'error', (facts: object, sentence: string) => void>>;

export interface GatewayOptions extends StoreOptions {
  readonly databaseUrl: string;
  readonly pepper: string;
  /** 64 hex digits. */
  readonly masterKey: string;
  /** 64 hex digits of a second one, which only opens. */
  readonly oldMasterKey?: string | undefined;
  /** What the key of the audit log is drawn from; the pepper unless given. */
  readonly auditKey?: string | undefined;
  /** After which Postgres gives up a statement; the database room's own unless given. */
  readonly statementTimeoutMs?: number;
  readonly partitions: number | undefined;
  readonly ttlMs: ReadonlyMap<string, number>;
  readonly logger: GatewayLog;
}

export interface Gateway {
  readonly services: Services;
  /** What holds the cache, such as `Redis 7.2.4`. */
  readonly storeName: string;
  /** What gateways share beside the cache; undefined where there is no other. */
  readonly allowances: Allowances | undefined;
  /** @throws {Unauthenticated} at an Authorization header that bears no valid token. */
  readonly contextOf: (request: { authorization: string | undefined; posted: boolean }) => Promise<Context>;
  readonly readiness: () => Promise<{ ready: boolean; postgres: 'up' | 'down'; cache: 'trusted' | 'degraded' }>;
  readonly close: () => Promise<void>;
}

const BEAT_MS = 1_000;

/**
 * Migrates the database, opens the store, and catches up with whatever was committed meanwhile; serves nothing yet.
 * @throws {ForeignStore} when other gateways on this database use another store.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { databaseUrl, redisUrl, pepper, logger, statementTimeoutMs } = options;
  await migrate(databaseUrl, options.partitions);
  const signer = auditSigner(options.auditKey ?? pepper);
  const database = connect({
    url: databaseUrl,
    signer,
    ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
  });
  const id = randomUUID();
  const changeLog = openChangeLog(databaseUrl, { id, store: redisUrl === undefined ? 'memory' : 'redis' });
  const closing: (() => Promise<unknown>)[] = [changeLog.close, database.close];
  const closeAll = async () => {
    for (const close of closing) await close();
  };
  try {
    const installation = await findInstallation(database.query);
    const { store, storeName, allowances } = await openStore(options, installation);
    closing.unshift(store.close);
    await requireSharedStore(store, changeLog, installation);
    const cache = new Cache({
      store,
      changeLog: changeLog satisfies ChangeLog,
      source: database.query,
      views,
      partitions: installation.partitions,
      overrides: options.ttlMs,
      runtimeTtls: () => readRuntimeTtls(database.query),
      leads: changeLog.lead,
      comparedShare: COMPARED_SHARE,
    });
    tellOfTrouble(cache, logger);
    await cache.learnPolicies();
    const heart = startHeart(async () => {
      await cache.learnPolicies().catch(() => {}); // what was learned before stays in force
      return claimStore(changeLog.query, store.kind);
    }, logger);
    await cache.start();
    const services: Services = {
      gatewayId: id,
      cache,
      db: database.db,
      query: database.bareQuery,
      queryAs: database.queryAs,
      tokenUses: new TokenUses(database.query),
      pepper,
      masterKey: masterKeyOf(options.masterKey, options.oldMasterKey),
      cursorKey: createHmac('sha256', pepper).update('cursor').digest('hex'),
      now: Date.now,
      randomBytes,
    };
    void tellOfLockedSecrets(services, logger);
    const sealer = new AuditSealer({ db: database.db, query: database.query, signer, now: Date.now, logger });
    closing.unshift(
      heart.stop,
      sealer.start().stop,
      forgetExpiredKeys(database.query).stop,
      () => services.tokenUses.flush(),
      () => cache.close(),
    );
    return {
      services,
      storeName,
      allowances,
      contextOf: (request) => contextOf(services, request),
      readiness: () => readinessOf(services, changeLog),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Says what operators must hear, and says it once for as long as it lasts. */
function tellOfTrouble(cache: Cache<Query>, logger: GatewayLog): void {
  let lastFailure: string | undefined;
  cache.events.on((event) => {
    if (event.kind === 'distrusted') {
      logger.error({ partitions: event.partitions.length }, `cache in doubt, reading SQL: ${event.reason}`);
    } else if (event.kind === 'trusted') {
      lastFailure = undefined;
      logger.info({ partitions: event.partitions.length }, 'cache trusted');
    } else if (event.kind === 'failing') {
      const failure = `${event.part} fails and is tried again: ${sentencesOf(event.error)}`;
      if (failure !== lastFailure) logger.error({}, failure);
      lastFailure = failure;
    } else if (event.kind === 'mismatch') {
      const { view, key, storeVersion, sqlVersion } = event;
      logger.error({ view, key, storeVersion, sqlVersion }, 'the cache held what SQL contradicts; it is dropped');
    }
  });
}

/** Said at the start: who reveals such a secret learns only that it went wrong. */
async function tellOfLockedSecrets({ query, masterKey }: Services, logger: GatewayLog): Promise<void> {
  const locked = await countLocked(query, masterKey).catch(() => 0);
  if (locked === 0) return;
  logger.error(
    { versions: locked },
    'secrets are stored under a master key that this gateway does not have: set it as ESPELHO_MASTER_KEY_OLD, or as ESPELHO_MASTER_KEY if it is the one to use',
  );
}

/** The error's own words and those of its causes; none of them repeats a statement's parameters. */
function sentencesOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause === undefined ? error.message : `${error.message} (${sentencesOf(error.cause)})`;
}

/**
 * What a request read, as its caller may know it. Of strict views, version and age would tell a foreign entry from a
 * missing one; only who may read the cache itself sees them.
 */
export function traceOf({ cache, viewer, services }: Context): readonly object[] {
  const isStrict = (view: string) => services.cache.caches(view) && services.cache.view(view).mode === 'strict';
  const sees = (view: string) => viewer.scopes.has('cache:read') || !isStrict(view);
  return cache.trace.map(({ version, ageMs, ...entry }) => (sees(entry.view) ? { ...entry, version, ageMs } : entry));
}

/** What the edge may know of a caller: who he is, without his token, and whether he may write or ask freely. */
export function standingOf({ viewer: { tokenId, scopes } }: Context) {
  const writes = [...scopes].some((scope) => scope.endsWith(':write'));
  return { id: tokenId ?? undefined, writes, free: scopes.has('ad-hoc') };
}

/**
 * For how long what a request has read may be kept outside: no longer than the entries themselves live, `most` seconds at
 * most, and not at all where anything is strict, stale or asked of SQL. Shared only where nobody in particular asked.
 */
export function keepingOf({ cache, viewer, services }: Context, most: number) {
  const lives = cache.trace.map(({ view, outcome, ageMs }) => {
    const isKept = services.cache.caches(view) && services.cache.view(view).mode === 'available' && KEPT.has(outcome);
    return isKept ? services.cache.ttlOf(view).ttlMs - ageMs : 0;
  });
  const life = lives.length === 0 ? 0 : Math.min(most, ...lives.map((ms) => ms / 1_000));
  return { maxAgeSeconds: Math.max(0, Math.floor(life)), shared: viewer.subject === null };
}

const KEPT: ReadonlySet<string> = new Set(['HIT', 'MISS']);

async function contextOf(
  services: Services,
  arrival: { readonly authorization: string | undefined; readonly posted: boolean },
): Promise<Context> {
  const { authorization, posted } = arrival;
  if (authorization === undefined) return contextOfViewer(services, NOBODY, posted);
  const cache = services.cache.request();
  const [, secret = ''] = /^Bearer +([\x21-\x7e]{1,200})$/i.exec(authorization) ?? [];
  const viewer = await authenticate(services, cache, secret);
  if (!viewer)
    throw new Unauthenticated(
      'This token is not valid: it is unknown, expired or revoked, or was copied badly; ask for a new one.',
    );
  return { services, viewer, cache, posted, renew: () => contextOf(services, arrival) };
}

function startHeart(beatOnce: () => Promise<boolean>, logger: GatewayLog): { stop: () => Promise<void> } {
  let stopped = false;
  const beating = (async () => {
    while (!stopped) {
      const claimed = await beatOnce().catch(() => true);
      if (!claimed) logger.error({}, 'Another gateway on this database uses another store; stop one of the two.');
      await systemClock.sleep(BEAT_MS);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await beating;
    },
  };
}

/** Asked on a connection of its own: a busy pool is not a lost Postgres. */
async function readinessOf({ cache }: Services, { query }: PostgresChangeLog) {
  const postgres = await isReachable(query);
  const trusted = cache.status().trusted;
  return {
    ready: postgres,
    postgres: postgres ? ('up' as const) : ('down' as const),
    cache: trusted ? ('trusted' as const) : ('degraded' as const),
  };
}
