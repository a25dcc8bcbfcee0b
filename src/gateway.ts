// Composes one gateway over given servers: database, store, engine, schema and HTTP edge, checked against each other.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type Allowances, Cache, type ChangeLog, COMPARED_SHARE, systemClock } from './cache/index.js';
import { contextOf } from './caller.js';
import {
  auditSigner,
  claimStore,
  connect,
  findInstallation,
  isReachable,
  migrate,
  openChangeLog,
  type PostgresChangeLog,
} from './db/index.js';
import {
  AuditSealer,
  type Context,
  forgetExpiredKeys,
  masterKeyOf,
  readRuntimeTtls,
  type Services,
  TokenUses,
  views,
} from './resolvers/index.js';
import { openStore, requireSharedStore, type StoreOptions } from './store.js';
import { type GatewayLog, tellOfLockedSecrets, tellOfTrouble } from './trouble.js';

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
  /** Whether somebody else has brought the database up to date for this gateway. */
  readonly migrated?: boolean;
  /** Connections for reads, and as many for writes; as the database room has it unless given. */
  readonly sessions?: number | undefined;
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
  const { databaseUrl, redisUrl, pepper, logger, statementTimeoutMs, sessions } = options;
  if (!options.migrated) await migrate(databaseUrl, options.partitions);
  const signer = auditSigner(options.auditKey ?? pepper);
  const database = connect({
    url: databaseUrl,
    signer,
    ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
    ...(sessions !== undefined && { maxReads: sessions, maxWrites: sessions }),
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
      ...(sessions !== undefined && { limits: { underWay: sessions } }),
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
