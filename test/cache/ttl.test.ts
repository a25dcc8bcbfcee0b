// How long entries live: a default in code, the environment over it, shortened at random so that neighbours expire
// apart; and what has expired comes back from SQL.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { JITTER, partitionOf, type TextView } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, type GatewayOptions, openGateway } from '../support/engine.js';
import { createNotes, noteView } from '../support/notes.js';
import { redisCli } from '../support/redis.js';
import { writeNote } from '../support/writing.js';

/** A note that says itself how long it may be kept. */
const passingView: TextView<Query, string> = {
  ...noteView,
  lifeLeftMs: (json) => Number(/\d+/.exec(json)?.[0] ?? Number.NaN) || undefined,
};

describe('the time to live of an entry', () => {
  let database: TestDatabase;
  let open: Gateway | undefined;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes SELECT 'n' || n, 'text' FROM generate_series(1, 100) AS n`;
  });
  afterAll(async () => {
    await open?.close();
    await database.close();
  });
  /** One at a time: two private stores on one database exclude each other. */
  const gatewayWith = async (options: GatewayOptions) => {
    await open?.close();
    open = await openGateway(database, { store: 'memory', clock: testClock(), ...options });
    await open.holdRelay();
    return open;
  };
  const ttlOf = async (gateway: Gateway, key: string) => {
    await gateway.note(key);
    await gateway.story.until('filled', { view: 'note', key });
    return (await gateway.cache.inspect('note', key))?.ttlMs ?? 0;
  };
  const near = (ttlMs: number) => ({ least: ttlMs - 5_000, most: ttlMs });
  const expectNear = (actual: number, ttlMs: number) => {
    expect(actual).toBeGreaterThan(near(ttlMs).least);
    expect(actual).toBeLessThanOrEqual(near(ttlMs).most);
  };

  it('is the default in code', async () => {
    const gateway = await gatewayWith({ random: () => 0 });
    expectNear(await ttlOf(gateway, 'n1'), 3_600_000);
    expect(gateway.cache.ttlOf('note')).toEqual({ ttlMs: 3_600_000, source: 'CODE' });
  });

  it('is what the environment says, over the code', async () => {
    const gateway = await gatewayWith({ random: () => 0, overrides: new Map([['note', 60_000]]) });
    expectNear(await ttlOf(gateway, 'n1'), 60_000);
    expect(gateway.cache.ttlOf('note')).toEqual({ ttlMs: 60_000, source: 'ENVIRONMENT' });
    expect(gateway.cache.ttlOf('board').source).toBe('CODE');
  });

  it('is shortened by a tenth at most, differently for neighbours', async () => {
    const gateway = await gatewayWith({});
    const lives = await Promise.all(Array.from({ length: 100 }, (_, at) => ttlOf(gateway, `n${at + 1}`)));
    expect(Math.max(...lives)).toBeLessThanOrEqual(3_600_000);
    expect(Math.min(...lives)).toBeGreaterThan(3_600_000 * (1 - JITTER) - 60_000);
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(3_600_000 * JITTER * 0.5);
  });

  it('of what does not exist is its own, and never longer than that of what does', async () => {
    expectNear(await ttlOf(await gatewayWith({ random: () => 0 }), 'unknown'), 10_000);
    const brief = await gatewayWith({ random: () => 0, overrides: new Map([['note', 6_000]]) });
    expectNear(await ttlOf(brief, 'unknown'), 6_000);
  });

  it('never outlasts a value that ends by itself', async () => {
    await database.psql`INSERT INTO notes VALUES ('passing', '30000 left')`;
    const gateway = await gatewayWith({ random: () => 0, views: [passingView] });
    await gateway.read(passingView, 'passing');
    await gateway.story.until('filled');
    expectNear((await gateway.cache.inspect('note', 'passing'))?.ttlMs ?? 0, 30_000);
  });

  it('holds for what a write publishes, too', async () => {
    const gateway = await gatewayWith({ random: () => 0, overrides: new Map([['note', 60_000]]) });
    await writeNote(gateway, 'written', 'text');
    expectNear((await gateway.cache.inspect('note', 'written'))?.ttlMs ?? 0, 60_000);
  });

  it('over, the entry comes back from SQL', async () => {
    const clock = testClock();
    const gateway = await gatewayWith({ clock });
    await ttlOf(gateway, 'n2');
    clock.skip(3_600_001);
    const sent = gateway.source.sent();
    expect(await gateway.note('n2')).toBe('text');
    expect(gateway.source.sent() - sent).toBe(1);
  });
});

describe('in Redis', () => {
  it('an entry that has expired comes back from SQL', async () => {
    const database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes VALUES ('a', 'text')`;
    const gateway = await openGateway(database);
    const cli = redisCli(inject('redisUrl'));
    const name = `{${database.installation}.${partitionOf('note', 'a', database.partitions)}}e:note:a`;
    await gateway.holdRelay();
    await gateway.note('a');
    await gateway.story.until('filled');
    const ttlMs = await cli.pttl(name);
    expect(ttlMs).toBeGreaterThan(3_600_000 * (1 - JITTER) - 60_000);
    expect(ttlMs).toBeLessThanOrEqual(3_600_000);
    await cli.pexpire(name, 1);
    while ((await cli.exists(name)) === 1);
    const sent = gateway.source.sent();
    expect(await gateway.note('a')).toBe('text');
    expect(gateway.source.sent() - sent).toBe(1);
    await gateway.story.until('filled', undefined, 2);
    expect(await cli.exists(name)).toBe(1);
    cli.disconnect();
    await gateway.close();
    await database.close();
  });
});
