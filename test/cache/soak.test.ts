// The pledge under concurrent writers, readers and faults: no read is older than the newest write acknowledged before
// it began. What happens is drawn from a seed; SOAK_SEED and SOAK_MS repeat a run or lengthen it.
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheUnavailable, type Store } from '../../src/cache/index.js';
import { DatabaseUnavailable, txQuery } from '../../src/db/index.js';
import {
  type Context,
  contextOfViewer,
  masterKeyOf,
  NOBODY,
  type Services,
  TokenUses,
} from '../../src/resolvers/index.js';
import { write } from '../../src/resolvers/write.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { Freshness, seeded } from '../support/freshness.js';
import { createNotes } from '../support/notes.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';

const KEYS = ['a', 'b', 'c'];
const SEED = Number(process.env.SOAK_SEED ?? 20_261_123);
const SOAK_MS = Number(process.env.SOAK_MS ?? 5_000);
/** So much at least happens, however slow the machine is. */
const LEAST = { reads: 100, acknowledgements: 10 };
const STUCK_MS = 30_000;

describe('two gateways on one Redis', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  let gateways: Gateway[];

  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    database = await createDatabase({ partitions: 2 });
    await createNotes(database);
    await database.psql`INSERT INTO notes SELECT key, '0' FROM unnest(${KEYS}::text[]) AS key`;
  });
  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await database.close();
  });
  const open = async (alter: (store: Store) => Store = (store) => store) => {
    const options = { redisUrl: redis.url, timeoutMs: 1_000, alter };
    gateways = [await openGateway(database, options), await openGateway(database, options)];
  };

  it(
    `keep the pledge for ${SOAK_MS} ms of writes, psql edits and faults`,
    async () => {
      await open();
      const freshness = await soak({ gateways, database, redis, forMs: SOAK_MS });
      expect(freshness.violations, `SOAK_SEED=${SEED}`).toEqual([]);
      expect(freshness.reads).toBeGreaterThan(LEAST.reads);
      expect(freshness.acknowledgements).toBeGreaterThan(LEAST.acknowledgements);
    },
    SOAK_MS + 2 * STUCK_MS,
  );

  it('are caught when writers only pretend to fence and publish', async () => {
    const pretend: (store: Store) => Store = (store) => ({
      ...store,
      fence: async (batches) => batches.map(({ items }) => ({ kind: 'done', replies: items.map(() => 'fenced') })),
      publish: async (batches) => batches.map(({ items }) => ({ kind: 'done', replies: items.map(() => 'published') })),
    });
    await open(pretend);
    const freshness = await soak({ gateways, database, redis, forMs: STUCK_MS, untilViolation: true });
    expect(freshness.violations.length).toBeGreaterThan(0);
  });
});

it('the checker tells a stale read from one that began before the acknowledgement', () => {
  const freshness = new Freshness();
  const early = freshness.beginRead('a');
  freshness.acknowledge('a', 2);
  freshness.acknowledge('a', 1);
  early(1);
  freshness.beginRead('a')(2);
  freshness.beginRead('b')(0);
  expect(freshness.violations).toEqual([]);
  freshness.beginRead('a')(1);
  expect(freshness.violations).toEqual([{ key: 'a', read: 1, acknowledged: 2 }]);
});

interface Soak {
  readonly gateways: readonly Gateway[];
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  readonly forMs: number;
  readonly untilViolation?: boolean;
}

async function soak({ gateways, database, redis, forMs, untilViolation = false }: Soak): Promise<Freshness> {
  const freshness = new Freshness();
  const endMs = performance.now() + forMs;
  const enough = () => freshness.reads > LEAST.reads && freshness.acknowledgements > LEAST.acknowledgements;
  const over = () => {
    const now = performance.now();
    if (untilViolation) return now > endMs || freshness.violations.length > 0;
    return now > endMs + STUCK_MS || (now > endMs && enough());
  };
  const actors = gateways.flatMap((gateway, at) => [
    ...[1, 2].map((seed) => reader(gateway, freshness, seeded(SEED + 10 * at + seed), over)),
    writer(gateway, freshness, seeded(SEED + 10 * at + 3), over),
  ]);
  if (!untilViolation) {
    actors.push(
      editor(database, freshness, seeded(SEED + 100), over),
      saboteur(redis, database, seeded(SEED + 101), over),
    );
  }
  await Promise.all(actors);
  return freshness;
}

const oneOf = <Item>(items: readonly [Item, ...Item[]], random: () => number): Item =>
  items[Math.floor(random() * items.length)] ?? items[0];
const keyFrom = (random: () => number) => oneOf(['a', 'b', 'c'], random);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function reader(gateway: Gateway, freshness: Freshness, random: () => number, over: () => boolean) {
  while (!over()) {
    const key = keyFrom(random);
    const check = freshness.beginRead(key);
    check(Number(await gateway.note(key)));
    if (random() < 0.1) await pause(random() * 20);
  }
}

async function writer(gateway: Gateway, freshness: Freshness, random: () => number, over: () => boolean) {
  const ctx = contextOf(gateway);
  while (!over()) {
    const key = keyFrom(random);
    const written = await increment(ctx, key).catch(refused);
    if (written?.visible) freshness.acknowledge(key, written.value);
    await pause(random() * 30);
  }
}

/** Edits by psql; a barrier acknowledges them. */
async function editor({ psql }: TestDatabase, freshness: Freshness, random: () => number, over: () => boolean) {
  while (!over()) {
    const key = keyFrom(random);
    const [row] = await psql`
      UPDATE notes SET text = (text::int + 1)::text WHERE key = ${key} RETURNING text`.catch(deadlocked);
    if (!row) continue;
    const covered = await psql`SELECT cache_barrier('5 seconds')`.then(
      () => true,
      () => false,
    );
    if (covered) freshness.acknowledge(key, Number(row.text));
    await pause(random() * 100);
  }
}

async function saboteur({ cli }: RedisServer, database: TestDatabase, random: () => number, over: () => boolean) {
  const partition = () => `{${database.installation}.${Math.floor(random() * database.partitions)}}`;
  const faults: [() => Promise<unknown>, ...(() => Promise<unknown>)[]] = [
    () => cli.flushall(),
    () => cli.script('FLUSH'),
    () => cli.del(`${partition()}m`),
    () => cli.del(`${partition()}e:note:${keyFrom(random)}`),
    () => cli.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  ];
  while (!over()) {
    await pause(100 + random() * 500);
    await oneOf(faults, random)();
  }
}

/** A write that the cache could not take part in, or that met an edit in the other order of locks, has left nothing. */
function refused(error: unknown): undefined {
  if (error instanceof CacheUnavailable || error instanceof DatabaseUnavailable) return undefined;
  throw error;
}

/** An edit locks the row and then its root, a gateway the root and then the row. */
function deadlocked(error: unknown): [] {
  if (error instanceof Error && 'code' in error && error.code === '40P01') return [];
  throw error;
}

async function increment(ctx: Context, key: string): Promise<{ value: number; visible: boolean }> {
  const plan = {
    action: 'increment',
    domain: 'MENU',
    key,
    roots: [{ view: 'note', key }],
    options: undefined,
  } as const;
  const { result, receipt } = await write(ctx, plan, async (tx) => {
    const [row] = await txQuery(tx)<{ text: string }>(
      sql`UPDATE notes SET text = (text::int + 1)::text WHERE key = ${key} RETURNING text`,
    );
    return { result: Number(row?.text) };
  });
  return { value: result, visible: receipt.visible };
}

function contextOf({ id, cache, connection: { db, query, queryAs } }: Gateway): Context {
  const services: Services = {
    cache,
    db,
    query,
    queryAs,
    tokenUses: new TokenUses(query),
    pepper: '',
    masterKey: masterKeyOf('0'.repeat(64)),
    cursorKey: '',
    gatewayId: id,
    now: Date.now,
    randomBytes,
  };
  return contextOfViewer(services, NOBODY);
}
