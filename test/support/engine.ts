// Gateways, as far as the engine goes: a cache over a real change log and a chosen store, with gates at every link and
// a record of what happened. Several may share one database and one Redis.
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import {
  type AnyView,
  Cache,
  type Clock,
  type ConcurrencyLimits,
  connectRedis,
  memoryStore,
  type RuntimeTtls,
  redisStore,
  type Store,
  systemClock,
  type TextView,
  type TtlOverrides,
} from '../../src/cache/index.js';
import { type Connection, connect, openChangeLog, type PostgresChangeLog, type Query } from '../../src/db/index.js';
import type { TestDatabase } from './database.js';
import { type Gate, type GatedSource, Gates, gatedSource, gatedStore, type StoreGates } from './gates.js';
import { boardView, linesView, noteView } from './notes.js';
import { Story } from './story.js';

export interface GatewayOptions {
  readonly store?: 'redis' | 'memory';
  /** The run's Redis unless it is given. */
  readonly redisUrl?: string;
  readonly views?: readonly AnyView<Query>[];
  readonly overrides?: TtlOverrides;
  readonly runtimeTtls?: () => Promise<RuntimeTtls>;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Generous, because tests share a machine; outages ask for the real one. */
  readonly timeoutMs?: number;
  readonly limits?: Partial<ConcurrencyLimits>;
  /** False leaves the relay to the other gateways. */
  readonly leads?: boolean;
  readonly start?: boolean;
  /** Puts a store that misbehaves in place of the good one. */
  readonly alter?: (store: Store) => Store;
}

export interface Gateway {
  readonly id: string;
  readonly cache: Cache<Query>;
  readonly story: Story;
  readonly connection: Connection;
  readonly store: Store;
  readonly changeLog: PostgresChangeLog;
  /** Gates around each operation of the store. */
  readonly atStore: StoreGates;
  readonly source: GatedSource;
  /** A gate at the relay's looks into the change log: closed, it carries nothing over. */
  readonly atRelay: Gates<'look'>;
  /** A gate at the renewals of its lease: closed, this gateway is cut off from Postgres as far as its trust goes. */
  readonly atLease: Gates<'renew'>;
  /** Closes that gate, and resolves once the relay stands there: no look is under way any more. */
  readonly holdRelay: () => Promise<Gate>;
  /** The value as a request of its own reads it; undefined where there is none. */
  readonly read: <Value>(view: TextView<Query, Value>, key: string) => Promise<Value | undefined>;
  readonly note: (key: string) => Promise<string | undefined>;
  readonly lines: (key: string, page?: { first: number; last: number }) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** Opens a gateway on `database` and starts it, unless told otherwise. */
export async function openGateway(database: TestDatabase, options: GatewayOptions = {}): Promise<Gateway> {
  const clock = options.clock ?? systemClock;
  const connection = connect({ url: database.url, maxReads: 3, maxWrites: 4 });
  const id = randomUUID();
  const changeLog = openChangeLog(database.url, { id, store: options.store ?? 'redis' });
  const source = gatedSource(connection.query);
  const atRelay = new Gates<'look'>();
  const atLease = new Gates<'renew'>();
  const { alter = (store) => store } = options;
  const { store, gates } = gatedStore(alter(await openStore(database, options, clock)));
  const cache = new Cache<Query>({
    store,
    changeLog: {
      ...changeLog,
      changesSince: atRelay.around('look', changeLog.changesSince),
      renew: atLease.around('renew', changeLog.renew),
    },
    source: source.query,
    views: options.views ?? [noteView, boardView, linesView],
    partitions: database.partitions,
    clock,
    leads: options.leads === false ? async () => false : changeLog.lead,
    ...(options.overrides && { overrides: options.overrides }),
    ...(options.runtimeTtls && { runtimeTtls: options.runtimeTtls }),
    ...(options.limits && { limits: options.limits }),
    ...(options.random && { random: options.random }),
  });
  const story = new Story(cache.events);
  if (options.start !== false) await cache.start(10_000);
  const read = async <Value>(view: TextView<Query, Value>, key: string) => {
    const reading = await cache.request().read(view, key);
    return reading.kind === 'present' ? reading.value : undefined;
  };
  return {
    id,
    cache,
    story,
    connection,
    store,
    changeLog,
    atStore: gates,
    source,
    atRelay,
    atLease,
    holdRelay: async () => {
      const gate = atRelay.close('look');
      await gate.reached;
      return gate;
    },
    read,
    note: (key) => read(noteView, key),
    lines: async (key, page = { first: 0, last: -1 }) => (await cache.request().readRows(linesView, key, page)).members,
    close: async () => {
      for (const each of [gates, source.gates, atRelay, atLease]) each.openAll();
      await cache.close();
      await Promise.all([changeLog.close(), connection.close()]);
    },
  };
}

async function openStore(database: TestDatabase, options: GatewayOptions, clock: Clock): Promise<Store> {
  if (options.store === 'memory') return memoryStore({ clock, maxBytes: 64 * 1024 * 1024 });
  return redisStore({
    ...(await connectRedis(options.redisUrl ?? inject('redisUrl'))),
    installation: database.installation,
    timeoutMs: options.timeoutMs ?? 5_000,
  });
}
