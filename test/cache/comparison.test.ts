// A share of live hits is compared with SQL beside the reads: what SQL contradicts is told and dropped, and nothing else.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cache, type CacheOptions, type Store } from '../../src/cache/index.js';
import { openChangeLog, type PostgresChangeLog, type Query } from '../../src/db/index.js';
import { type TestClock, testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { gatedSource } from '../support/gates.js';
import { createNotes, noteView } from '../support/notes.js';
import { Story } from '../support/story.js';
import { writeNote } from '../support/writing.js';
import { carriedOver, loadOne, plant } from './planting.js';

/** The longest rest after a comparison. */
const REST_MS = 10_000;

describe.each(['redis', 'memory'] as const)('of live hits, with %s,', (kind) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let changeLog: PostgresChangeLog;
  let clock: TestClock;
  let key: string;
  let keys = 0;
  let opened: Cache<Query> | undefined;
  let letRelayGo = () => {};
  let story: Story;
  /** Looks at single entries, which nothing but comparisons takes. */
  let looks: number;
  let sleptMs: number[];

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store: kind });
    changeLog = openChangeLog(database.url);
  });
  afterAll(async () => {
    await changeLog.close();
    await gateway.close();
    await database.close();
  });
  beforeEach(async () => {
    key = `n${keys++}`;
    await database.psql`INSERT INTO notes VALUES (${key}, 'text')`;
    await carriedOver(gateway, database);
  });
  afterEach(async () => {
    letRelayGo();
    gateway.atRelay.openAll();
    await opened?.close();
  });

  /** Another reader of the same store, which compares all its hits unless told otherwise, and relays nothing. */
  const open = async (options: Partial<CacheOptions<Query>> = {}) => {
    clock = testClock();
    looks = 0;
    sleptMs = [];
    const inspect: Store['inspect'] = (...args) => {
      looks++;
      return gateway.store.inspect(...args);
    };
    const sleep = (ms: number) => {
      sleptMs.push(ms);
      return clock.sleep(ms);
    };
    const ended = new Promise<boolean>((resolve) => {
      letRelayGo = () => resolve(false);
    });
    const cache = new Cache<Query>({
      store: { ...gateway.store, inspect, close: async () => {} },
      changeLog,
      source: gateway.connection.query,
      views: [noteView],
      partitions: database.partitions,
      clock: { ...clock, sleep },
      leads: () => ended,
      comparedShare: 1,
      random: () => 0,
      ...options,
    });
    opened = cache;
    story = new Story(cache.events);
    await cache.start(10_000);
    sleptMs = [];
    return cache;
  };
  const read = async (cache: Cache<Query>, of = key) => {
    const reading = await cache.request().read(noteView, of);
    return reading.kind === 'present' ? reading.value : undefined;
  };

  it('one that is older than SQL is told, counted and dropped', async () => {
    const cache = await open();
    const { version } = await loadOne(gateway, noteView, key);
    await plant(gateway, database, noteView, key, { version: '1', value: '"stale"' });
    expect(await read(cache)).toBe('stale');
    await story.until('dropped', { view: 'note', key });
    expect(story.all('mismatch')).toEqual([
      { kind: 'mismatch', view: 'note', key, storeVersion: '1', sqlVersion: version },
    ]);
    expect(cache.status().views).toEqual([expect.objectContaining({ view: 'note', mismatches: 1 })]);
    expect(await read(cache)).toBe('text');
  });

  it('one that is newer than SQL is told too', async () => {
    const cache = await open();
    const newer = String(BigInt((await loadOne(gateway, noteView, key)).version) + 1n);
    await plant(gateway, database, noteView, key, { version: newer });
    await read(cache);
    await story.until('mismatch', { view: 'note', key });
  });

  it('of a digest tells only the beginning', async () => {
    const cache = await open({ views: [{ ...noteView, keyIsDigest: true }] });
    await plant(gateway, database, noteView, key, { version: '1' });
    await read(cache);
    await story.until('mismatch');
    expect(story.all('mismatch').map((each) => each.key)).toEqual([`${key}…`]);
  });

  it('none is compared outside the share', async () => {
    const source = gatedSource(gateway.connection.query);
    const cache = await open({ source: source.query, comparedShare: 0.25, random: () => 0.25 });
    await plant(gateway, database, noteView, key, { version: '1', value: '"stale"' });
    for (let at = 0; at < 10; at++) expect(await read(cache)).toBe('stale');
    expect(source.sent()).toBe(0);
  });

  it('one whose change is on its way is no mismatch', async () => {
    const source = gatedSource(gateway.connection.query);
    const cache = await open({ source: source.query });
    await gateway.cache.warm('note', [key]);
    const relay = gateway.atRelay.close('look');
    await relay.reached;
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    expect(await read(cache)).toBe('text');
    for (const look of [2, 3]) {
      await eventually(() => sleptMs.includes(look === 2 ? 100 : 400));
      clock.skip(400);
      await eventually(() => looks === look);
    }
    await eventually(() => sleptMs.includes(REST_MS));
    expect(await read(cache)).toBe('text');
    relay.open();
    expect(story.all('mismatch')).toEqual([]);
  });

  it('waits for no comparison, and has four of them under way at most', async () => {
    const source = gatedSource(gateway.connection.query);
    let arrived = 0;
    const load: typeof noteView.load = (from, some) => {
      arrived++;
      return noteView.load(from, some);
    };
    const cache = await open({ source: source.query, views: [{ ...noteView, load }] });
    const many = Array.from({ length: 10 }, (_, at) => `${key} ${at}`);
    await database.psql`INSERT INTO notes SELECT unnest(${many}::text[]), 'text'`;
    await gateway.cache.warm('note', many);
    const gate = source.gates.close('load');
    for (const one of many) expect(await read(cache, one)).toBe('text');
    await gate.reached;
    for (const one of many) expect(await read(cache, one)).toBe('text');
    expect(arrived).toBe(4);
    gate.open();
    await eventually(async () => {
      clock.skip(REST_MS);
      await eventually(() => cache.status().trusted);
      await read(cache, many[0]);
      return arrived > 4;
    });
  });

  it('none is a false alarm, whoever writes meanwhile', { timeout: 120_000 }, async () => {
    const cache = await open();
    for (let at = 0; at < 300; at++) {
      const write =
        at % 3 === 0
          ? database.psql`UPDATE notes SET text = ${`edited ${at}`} WHERE key = ${key}`
          : writeNote(gateway, key, at % 10 === 1 ? null : `written ${at}`).catch(() => {});
      await Promise.all([write, read(cache), read(cache).then(() => read(cache))]);
      clock.skip(1_000);
    }
    expect(looks).toBeGreaterThan(20);
    expect(story.all('mismatch')).toEqual([]);
  });
});
