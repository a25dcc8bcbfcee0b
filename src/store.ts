// Which store a gateway uses, and that it is the one that the other gateways on its database use.
import {
  type Allowances,
  connectRedis,
  examineRedis,
  memoryStore,
  redisAllowances,
  redisStore,
  type Store,
  systemClock,
} from './cache/index.js';
import { claimStore, gatewaysAreAlive, type Installation, type PostgresChangeLog } from './db/index.js';

export interface StoreOptions {
  /** Undefined means the in-process store. */
  readonly redisUrl: string | undefined;
  /** How long the store may take to answer. */
  readonly storeTimeoutMs?: number;
  readonly logger: { readonly error: (facts: object, sentence: string) => void };
}

/** Other gateways on this database use another store. */
export class ForeignStore extends Error {
  override readonly name = 'ForeignStore';
  readonly code = 'FOREIGN_STORE';
}

const STORE_TIMEOUT_MS = 120;
const MEMORY_STORE_BYTES = 256 * 1_024 * 1_024;
/** A Redis that has just failed over may take this long to be recorded by the gateways that use it. */
const IDENTITY_WAIT_MS = 5_000;

export interface OpenedStore {
  readonly store: Store;
  readonly storeName: string;
  /** What gateways on this store share; undefined where no other can use it. */
  readonly allowances: Allowances | undefined;
}

/** Opens the store at `redisUrl`, or the in-process one. @throws `UnsuitableRedis` when it cannot hold the cache. */
export async function openStore(
  { redisUrl, storeTimeoutMs = STORE_TIMEOUT_MS, logger }: StoreOptions,
  { id, partitions }: Installation,
): Promise<OpenedStore> {
  if (redisUrl === undefined) {
    return {
      store: memoryStore({ clock: systemClock, maxBytes: MEMORY_STORE_BYTES }),
      storeName: 'the in-process store',
      allowances: undefined,
    };
  }
  const connections = await connectRedis(redisUrl, (sentence) => logger.error({}, sentence));
  const store = redisStore({ ...connections, installation: id, timeoutMs: storeTimeoutMs });
  const allowances = redisAllowances({ ...connections, installation: id, partitions, timeoutMs: storeTimeoutMs });
  try {
    const storeName = (await examineRedis(connections)) ?? 'Redis (out of reach at the moment)';
    return { store, storeName, allowances };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Two stores on one database would break the pledge. Gateways that use Redis have recorded in Postgres which life of
 * which master they trust; who joins them must see the same.
 */
export async function requireSharedStore(
  store: Store,
  changeLog: PostgresChangeLog,
  { partitions }: Installation,
): Promise<void> {
  const deadlineMs = systemClock.nowMs() + IDENTITY_WAIT_MS;
  while (!(await claimStore(changeLog.query, store.kind))) {
    if (systemClock.nowMs() > deadlineMs) {
      throw new ForeignStore(
        store.kind === 'memory'
          ? 'Another gateway works on this database, and the in-process store cannot be shared; set REDIS_URL for all of them.'
          : 'Another gateway works on this database with its in-process store; stop it, or set REDIS_URL for all of them.',
      );
    }
    await systemClock.sleep(100);
  }
  while (
    store.kind === 'redis' &&
    (await gatewaysAreAlive(changeLog.query)) &&
    (await isAnother(store, changeLog, partitions))
  ) {
    if (systemClock.nowMs() > deadlineMs) {
      throw new ForeignStore(
        'Other gateways work on this database, and REDIS_URL does not lead to the Redis that they use; set it to theirs.',
      );
    }
    await systemClock.sleep(100);
  }
}

/**
 * Whether this store is none that Postgres has on record or that could follow it. One that does not answer is not trusted
 * either way, and one that holds the generation on record is a successor: a promoted replica, or a dump restored.
 */
async function isAnother(store: Store, changeLog: PostgresChangeLog, partitions: number): Promise<boolean> {
  const rows = await changeLog.partitions();
  const metas = await store.meta(Array.from({ length: partitions }, (_, partition) => partition));
  return rows.some(({ partition, incarnation, generation, open }) => {
    const meta = metas[partition];
    if (!open || meta?.incarnation === undefined) return false;
    return meta.incarnation !== incarnation && meta.stored?.generation !== generation;
  });
}
