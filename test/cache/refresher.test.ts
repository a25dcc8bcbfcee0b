// Views that ask for it are kept warm: entries that are read near the end of their life are loaded anew by the batch,
// while readers go on hitting what stands; and whatever happens in between, nothing older comes back.
import type { Redis } from 'ioredis';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { Events } from '../../src/cache/events.js';
import { partitionOf } from '../../src/cache/index.js';
import { BEAT_MS, Refresher } from '../../src/cache/refresher.js';
import { LEASE_MS, RENEW_AFTER } from '../../src/cache/store.js';
import type { Query } from '../../src/db/index.js';
import { type TestClock, testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, type GatewayOptions, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, noteView } from '../support/notes.js';
import { redisCli } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';

const warmView = { ...boardView, keepWarm: true } as const;
const LIFE_MS = 60_000;

describe.each(['redis', 'memory'] as const)('a view that is kept warm in %s', (store) => {
  let database: TestDatabase;
  let cli: Redis;
  let time: TestClock;
  /** Beats come when a test says, however long it takes. */
  let beats: TestClock;
  let gateway: Gateway;
  let others: Gateway[];
  let prefix: string;
  let rounds = 0;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    cli = redisCli(inject('redisUrl'));
    return async () => {
      cli.disconnect();
      await database.close();
    };
  });
  beforeEach(async () => {
    others = [];
    prefix = `round ${rounds++}`;
    time = testClock();
    beats = testClock({ still: true });
    gateway = await open();
  });
  afterEach(async () => {
    await Promise.all([gateway, ...others].map((each) => each.close()));
  });
  const open = async (options: GatewayOptions = {}) => {
    const views = [noteView, warmView];
    const clock = { ...time, sleep: (ms: number) => (ms === BEAT_MS ? beats : time).sleep(ms) };
    const common = { store, clock, views, random: () => 0, overrides: new Map([['board', LIFE_MS]]) };
    const opened = await openGateway(database, { ...common, ...options });
    await opened.holdRelay();
    return opened;
  };
  const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `${prefix} ${at}`);
  const read = (key: string, from = gateway) => from.read(warmView, key);
  /** A leap in time ends the lease; it goes on when the lease has been renewed. */
  const skip = async (ms: number) => {
    time.skip(ms);
    await eventually(() => gateway.cache.status().trusted);
  };
  /** Lets an entry reach this share of its life. */
  const age = async (keys: readonly string[], share: number) => {
    if (store === 'memory') return skip(LIFE_MS * share);
    for (const key of keys) {
      const entry = `{${database.installation}.${partitionOf('board', key, database.partitions)}}e:board:${key}`;
      await cli.hincrby(entry, 's', -Math.round(LIFE_MS * share));
      await cli.pexpire(entry, Math.max(1, Math.round(LIFE_MS * (1 - share))));
    }
  };
  const filled = async (count: number, share = RENEW_AFTER + 0.02) => {
    const keys = keysOf(count);
    await database.psql`INSERT INTO notes SELECT unnest(${keys}::text[]), 'old'`;
    await Promise.all(keys.map((key) => read(key)));
    await gateway.story.until('filled', undefined, count);
    await age(keys, share);
    gateway.story.clear();
    return keys;
  };
  const story = (key: string) => gateway.story.of('board', key);
  /** The next beat; what is due waits for it. */
  const beat = async () => {
    await eventually(() => beats.sleepers() > 0);
    beats.skip(BEAT_MS);
  };

  it('renews what is read near its end, many keys by one statement, while readers hit what stands', async () => {
    const keys = await filled(200);
    const sent = gateway.source.sent();
    const loaded = gateway.source.gates.close('load', 'after');
    await Promise.all(keys.map((key) => read(key)));
    await beat();
    await loaded.reached;
    expect(await Promise.all(keys.map((key) => read(key)))).toEqual(keys.map(() => 'old'));
    expect(gateway.story.all('miss')).toEqual([]);
    loaded.open();
    await gateway.story.until('filled', undefined, keys.length);
    expect(gateway.source.sent() - sent).toBe(1);
    expect(gateway.story.all('renewing').map((event) => event.keys.length)).toEqual([200]);
    const [first = ''] = keys;
    expect(story(first)).toEqual(['hit', 'renewing', 'hit', 'loaded', 'filled']);
    const ttlMs = (await gateway.cache.inspect('board', first))?.ttlMs ?? 0;
    expect(ttlMs).toBeGreaterThan(LIFE_MS * 0.9);
  });

  it('takes up to 500 keys by a statement, and the rest with the next beat', async () => {
    const keys = await filled(501);
    const sent = gateway.source.sent();
    await Promise.all(keys.map((key) => read(key)));
    await beat();
    await gateway.story.until('filled', undefined, 500);
    expect(gateway.source.sent() - sent).toBe(1);
    await beat();
    await gateway.story.until('filled', undefined, 501);
    expect(gateway.source.sent() - sent).toBe(2);
  });

  it('never keeps a reader of a hot key waiting for SQL, however often its life would end', async () => {
    const [key = ''] = await filled(1, 0);
    for (let life = 1; life <= 3; life++) {
      await age([key], RENEW_AFTER / 2);
      await read(key);
      await age([key], RENEW_AFTER / 2 + 0.02);
      await Promise.all(Array.from({ length: 20 }, () => read(key)));
      await beat();
      await gateway.story.until('filled', { view: 'board', key }, life);
    }
    expect(gateway.story.all('miss')).toEqual([]);
    expect(gateway.story.all('renewing')).toHaveLength(3);
  });

  it('leaves alone what is read early in its life', async () => {
    const [key = ''] = await filled(1, RENEW_AFTER - 0.1);
    await read(key);
    await oneMoreBeat();
    expect(story(key)).toEqual(['hit']);
  });

  it('lets expire what nobody reads', async () => {
    const [read1 = '', unread = ''] = await filled(2);
    await read(read1);
    await beat();
    await gateway.story.until('filled', { view: 'board', key: read1 });
    await age([unread], 1);
    expect(story(unread)).toEqual([]);
    await eventually(async () => (await gateway.cache.inspect('board', unread))?.state === 'absent');
  });

  it('lets expire what is known not to exist, however often it is asked for', async () => {
    const key = `${prefix} unknown`;
    await read(key);
    await gateway.story.until('filled', { view: 'board', key });
    await age([key], 0.9);
    gateway.story.clear();
    await read(key);
    await oneMoreBeat();
    expect(story(key)).toEqual(['hit']);
  });

  it('shows a write that comes between a renewal and its fill, and refuses the fill', async () => {
    const [key = ''] = await filled(1);
    const loaded = gateway.source.gates.close('load', 'after');
    await read(key);
    await beat();
    await loaded.reached;
    const writing = writeNote(gateway, key, 'new');
    await gateway.story.until('renewing');
    expect(await writing).toBe(true);
    expect(await read(key)).toBe('new');
    loaded.open();
    await gateway.story.until('refused', { view: 'board', key });
    expect(await read(key)).toBe('new');
  });

  it('loses its token to a fence, so that a rollback leaves the old value and its life', async () => {
    const [key = ''] = await filled(1);
    const loaded = gateway.source.gates.close('load', 'after');
    await read(key);
    await beat();
    await loaded.reached;
    const writing = await beginWriting(gateway, key, 'never');
    await writing.fence();
    loaded.open();
    await gateway.story.until('refused', { view: 'board', key });
    await writing.rollback();
    await writing.lift();
    expect(await read(key)).toBe('old');
  });

  it('goes on hitting what stands when SQL fails, and tries again when it is read again', async () => {
    const [key = ''] = await filled(1);
    gateway.source.failNext(new Error('The statement failed.'));
    await read(key);
    await beat();
    await gateway.story.until('failing');
    expect(await read(key)).toBe('old');
    await skip(LEASE_MS + 1); // the lease of the renewal that failed
    if (store === 'redis') await expireLease(key);
    await read(key);
    await beat();
    await gateway.story.until('filled', { view: 'board', key });
    expect(gateway.story.all('renewing')).toHaveLength(2);
  });

  it('ends with the cache, without waiting for its beat', async () => {
    await gateway.close();
    const endless = {
      ...time,
      sleep: (ms: number) => (ms === BEAT_MS ? new Promise<void>(() => {}) : time.sleep(ms)),
    };
    gateway = await open({ clock: endless });
    const [key = ''] = await filled(1);
    const sent = gateway.source.sent();
    await read(key);
    await gateway.close();
    expect(gateway.source.sent()).toBe(sent);
    gateway = await open();
  });

  if (store === 'redis') {
    it('is renewed by one of two gateways that meet it', async () => {
      const other = await open({ leads: false });
      others.push(other);
      const [key = ''] = await filled(1);
      await Promise.all([read(key), read(key, other)]);
      await beat();
      await Promise.race([gateway, other].map(({ story }) => story.until('filled', { view: 'board', key })));
      for (const each of [gateway, other]) await oneMoreBeat(each);
      const loads = [gateway, other].map(
        (each) => each.story.of('board', key).filter((kind) => kind === 'loaded').length,
      );
      expect(loads.sort()).toEqual([0, 1]);
    });
  }

  /** A beat that renews an entry which is due for sure: what came before it is over. */
  const oneMoreBeat = async (from = gateway) => {
    const key = `${prefix} marker ${rounds++}`;
    await database.psql`INSERT INTO notes VALUES (${key}, 'marker')`;
    await read(key, from);
    await from.story.until('filled', { view: 'board', key });
    await age([key], 0.9);
    await read(key, from);
    await beat();
    await from.story.until('filled', { view: 'board', key }, 2);
  };
  const expireLease = async (key: string) => {
    const entry = `{${database.installation}.${partitionOf('board', key, database.partitions)}}e:board:${key}`;
    await cli.hincrby(entry, 'x', -LEASE_MS - 1);
  };
});

it('what lives for a second is renewed before the second is over', async () => {
  const clock = testClock({ still: true });
  const renewed: string[] = [];
  const renew = async (_: unknown, keys: readonly string[]) => void renewed.push(...keys);
  const refresher = new Refresher<Query>({ upkeep: { renew }, clock, events: new Events() });
  const hit = { kind: 'hit', version: '1', changedAtMs: 0, value: '{}', count: 0, members: [], stamp: '1' } as const;
  refresher.met(warmView, 'hot', { ...hit, ageMs: 800, ttlMs: 1_000 });
  clock.skip(199);
  await eventually(() => renewed.length === 1);
  await refresher.stop();
});

it('no strict view may ask to be kept warm', async () => {
  const database = await createDatabase();
  const views = [{ ...noteView, keepWarm: true } as const];
  await expect(openGateway(database, { store: 'memory', views, start: false })).rejects.toThrow(
    'View note is strict and asks to be kept warm',
  );
  await database.close();
});
