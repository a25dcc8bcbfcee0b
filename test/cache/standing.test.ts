// What was read before may be answered again only while every entry of it stands: asked anew each time, as certainly as
// if it were read.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Ground, JITTER, partitionOf, type TextView } from '../../src/cache/index.js';
import { TRUST_LEASE_MS } from '../../src/cache/lease.js';
import { RENEW_AFTER } from '../../src/cache/store.js';
import { fieldOf } from '../../src/cache/view.js';
import type { Query } from '../../src/db/index.js';
import { type TestClock, testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { elapse } from '../support/elapse.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, linesView, noteView } from '../support/notes.js';
import { redisCli, startRedisServer } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';

const warmView: TextView<Query, string> = { ...boardView, keepWarm: true };

/** Reads the note until what was read rests on an entry, and gives that. */
async function groundsOf(gateway: Gateway, key: string, view = noteView): Promise<readonly Ground[]> {
  let grounds: readonly Ground[] | undefined;
  await eventually(async () => {
    const request = gateway.cache.request();
    await request.read(view, key);
    grounds = await request.grounds;
    return grounds !== undefined && (await gateway.cache.stand(grounds));
  });
  return grounds ?? [];
}

/** The key in Redis of a note's entry. */
const nameIn = ({ installation, partitions }: TestDatabase, key: string) =>
  `{${installation}.${partitionOf('note', key, partitions)}}e:note:${key}`;

describe.each(['redis', 'memory'] as const)('what was read, in %s', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;
  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store });
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });
  beforeEach(async () => {
    key = `note ${keys++}`;
    expect(await writeNote(gateway, key, 'old')).toBe(true);
  });

  it('stands for as long as nobody writes, and counts as a hit of its entry each time', async () => {
    const grounds = await groundsOf(gateway, key);
    gateway.story.clear();
    expect(await gateway.cache.stand(grounds)).toBe(true);
    expect(await gateway.cache.stand(grounds)).toBe(true);
    expect(gateway.story.of('note', key)).toEqual(['hit', 'hit']);
  });

  it('stands no more once a write is acknowledged', async () => {
    const grounds = await groundsOf(gateway, key);
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    expect(await gateway.cache.stand(grounds)).toBe(false);
  });

  it('stands no more once it is deleted, and so does its absence once it is written', async () => {
    const grounds = await groundsOf(gateway, key);
    expect(await writeNote(gateway, key, null)).toBe(true);
    expect(await gateway.cache.stand(grounds)).toBe(false);
    const absence = await groundsOf(gateway, key);
    expect(await gateway.cache.stand(absence)).toBe(true);
    expect(await writeNote(gateway, key, 'again')).toBe(true);
    expect(await gateway.cache.stand(absence)).toBe(false);
  });

  it('stands no more once its entry was purged, though what is filled again has its version', async () => {
    const grounds = await groundsOf(gateway, key);
    await gateway.cache.purge('note', [key]);
    expect(await gateway.cache.stand(grounds)).toBe(false);
    const [again] = await groundsOf(gateway, key);
    expect(again?.version).toBe(grounds[0]?.version);
    expect(await gateway.cache.stand(grounds)).toBe(false);
  });

  it('does not stand under a fence, and stands again when its writer has rolled back', async () => {
    const grounds = await groundsOf(gateway, key);
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    expect(await gateway.cache.stand(grounds)).toBe(false);
    await writing.rollback();
    await writing.lift();
    expect(await gateway.cache.stand(grounds)).toBe(true);
  });

  it('stands only if all of it does', async () => {
    const other = `${key}, another`;
    expect(await writeNote(gateway, other, 'old')).toBe(true);
    const both = [...(await groundsOf(gateway, key)), ...(await groundsOf(gateway, other))];
    expect(await gateway.cache.stand(both)).toBe(true);
    expect(await writeNote(gateway, other, 'new')).toBe(true);
    expect(await gateway.cache.stand(both)).toBe(false);
  });

  it('joins a question that waits to be sent, and none that has been', async () => {
    const grounds = await groundsOf(gateway, key);
    const answered = gateway.atStore.close('standing', 'after');
    const first = gateway.cache.stand(grounds);
    const joined = gateway.cache.stand(grounds);
    await answered.reached;
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    const later = gateway.cache.stand(grounds);
    answered.open();
    expect(await Promise.all([first, joined, later])).toEqual([true, true, false]);
  });

  it('is asked about once for all who ask in one turn, and the store only once per partition', async () => {
    const grounds = await groundsOf(gateway, key);
    const asked: number[] = [];
    const { standing } = gateway.store;
    const counting = { ...gateway.store, standing };
    counting.standing = (batches) => {
      asked.push(...batches.map(({ items }) => items.length));
      return standing(batches);
    };
    Object.assign(gateway.store, counting);
    expect(await Promise.all(Array.from({ length: 50 }, () => gateway.cache.stand(grounds)))).not.toContain(false);
    expect(asked).toEqual([1]);
    Object.assign(gateway.store, { standing });
  });

  it('is counted: what stood, and what fell', async () => {
    const grounds = await groundsOf(gateway, key);
    const before = gateway.cache.status().answers;
    await gateway.cache.stand(grounds);
    await writeNote(gateway, key, 'new');
    await gateway.cache.stand(grounds);
    const { stood, fell } = gateway.cache.status().answers;
    expect([stood - before.stood, fell - before.fell]).toEqual([1, 1]);
  });

  it('rests on every entry that the request has read, in whatever part', async () => {
    await database.psql`INSERT INTO note_lines VALUES (${key}, 1, 'one'), (${key}, 2, 'two')`;
    await eventually(async () => (await gateway.lines(key)).length === 2);
    // The change may still be on its way to the store, where it ends an entry.
    await eventually(async () => {
      const request = gateway.cache.request();
      await request.readRows(linesView, key, { first: 0, last: 0 });
      await request.read(noteView, key);
      const grounds = await request.grounds;
      return (
        (grounds ?? [])
          .map(({ view }) => view)
          .sort()
          .join() === 'note,note-lines'
      );
    });
  });

  it('rests on nothing where SQL was asked around the cache, or failed, beside it', async () => {
    const around = gateway.cache.request();
    await around.read(noteView, key);
    await around.bypassing('note', 'all', async () => []);
    expect(around.grounds).toBeUndefined();
    const failing = gateway.cache.request();
    await failing.read(noteView, key);
    gateway.source.failNext(new Error('no'));
    await failing.read(noteView, 'never read before').catch(() => {});
    expect(failing.grounds).toBeUndefined();
  });

  it('rests on what the store has taken in, where it was read from SQL', async () => {
    await gateway.cache.purge('note', [key]);
    const request = gateway.cache.request();
    await request.read(noteView, key);
    expect(request.trace).toMatchObject([{ outcome: 'MISS' }]);
    const grounds = (await request.grounds) ?? [];
    expect(grounds).toEqual(await groundsOf(gateway, key));
    expect(await gateway.cache.stand(grounds)).toBe(true);
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    expect(await gateway.cache.stand(grounds)).toBe(false);
  });

  it('rests on nothing where the store has not taken it, as a writer was faster', async () => {
    await gateway.cache.purge('note', [key]);
    const filling = gateway.atStore.close('fill');
    const request = gateway.cache.request();
    expect(await request.read(noteView, key)).toMatchObject({ value: 'old' });
    await filling.reached;
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    filling.open();
    expect(await request.grounds).toBeUndefined();
    expect(await gateway.note(key)).toBe('new');
  });

  it('rests on nothing where the store has not taken a part of it', async () => {
    const other = `${key}, another`;
    expect(await writeNote(gateway, other, 'old')).toBe(true);
    await groundsOf(gateway, other);
    await gateway.cache.purge('note', [key]);
    const filling = gateway.atStore.close('fill');
    const request = gateway.cache.request();
    await request.read(noteView, other);
    await request.read(noteView, key);
    await filling.reached;
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    filling.open();
    expect(await request.grounds).toBeUndefined();
  });

  it('rests on nothing where a fence stood in the way', async () => {
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    const request = gateway.cache.request();
    await request.read(noteView, key);
    expect(request.grounds).toBeUndefined();
    await writing.rollback();
    await writing.lift();
  });
});

describe('what was read, with another gateway and a master that fails', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase({ partitions: 2 });
    await createNotes(database);
    closing.unshift(database.close);
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const open = async (redisUrl: string, clock?: TestClock, views?: readonly TextView<Query, string>[]) => {
    const gateway = await openGateway(database, { redisUrl, ...(clock && { clock }), ...(views && { views }) });
    closing.unshift(gateway.close);
    return gateway;
  };

  it('stands no more from the moment another gateway has acknowledged a write', async () => {
    const [one, other] = [await open(inject('redisUrl')), await open(inject('redisUrl'))];
    expect(await writeNote(one, 'a', 'write 0')).toBe(true);
    for (let write = 1; write <= 20; write++) {
      const grounds = await groundsOf(one, 'a');
      expect(await writeNote(other, 'a', `write ${write}`)).toBe(true);
      expect(await one.cache.stand(grounds)).toBe(false);
    }
  });

  it('is not believed once the lease has ended, even where the answer was asked for before', async () => {
    const time = testClock();
    const gateway = await open(inject('redisUrl'), time);
    expect(await writeNote(gateway, 'a', 'old')).toBe(true);
    const grounds = await groundsOf(gateway, 'a');
    const renewal = gateway.atLease.close('renew');
    await renewal.reached;
    const answered = gateway.atStore.close('standing', 'after');
    const standing = gateway.cache.stand(grounds);
    await answered.reached;
    time.skip(TRUST_LEASE_MS);
    answered.open();
    expect(await standing).toBe(false);
    expect(await gateway.cache.stand(grounds)).toBe(false);
    renewal.open();
  });

  it('does not survive the life of its master, nor its epoch', async () => {
    const master = await startRedisServer();
    closing.push(master.close);
    const gateway = await open(master.url);
    expect(await writeNote(gateway, 'a', 'old')).toBe(true);
    const grounds = await groundsOf(gateway, 'a');
    await master.save();
    await master.restart('dump');
    expect(await gateway.cache.stand(grounds)).toBe(false);
    await eventually(() => gateway.cache.status().trusted);
    await groundsOf(gateway, 'a');
    expect(await gateway.cache.stand(grounds)).toBe(false);
  });

  it('stands no more once a repair has dropped what somebody had falsified under its version', async () => {
    const gateway = await open(inject('redisUrl'));
    const cli = redisCli(inject('redisUrl'));
    closing.unshift(async () => cli.disconnect());
    expect(await writeNote(gateway, 'a', 'true')).toBe(true);
    const field = fieldOf(noteView);
    await cli.hset(nameIn(database, 'a'), field, JSON.stringify('false'));
    const request = gateway.cache.request();
    expect(await request.read(noteView, 'a')).toMatchObject({ value: 'false' });
    const grounds = (await request.grounds) ?? [];
    expect(await gateway.cache.stand(grounds)).toBe(true);
    expect((await gateway.cache.verify('note', ['a'], { repair: true })).differences).toMatchObject([
      { repaired: true },
    ]);
    await groundsOf(gateway, 'a');
    expect(await gateway.cache.stand(grounds)).toBe(false);
    expect(await gateway.note('a')).toBe('true');
  });

  it('is in doubt while Redis is silent, which is told at once and as false', async () => {
    const master = await startRedisServer();
    closing.push(master.close);
    const gateway = await open(master.url);
    expect(await writeNote(gateway, 'a', 'old')).toBe(true);
    const grounds = await groundsOf(gateway, 'a');
    await master.kill();
    expect(await gateway.cache.stand(grounds)).toBe(false);
    expect(await gateway.note('a')).toBe('old');
  });

  it('does not stand where somebody has evicted it, or put something else in its place', async () => {
    const gateway = await open(inject('redisUrl'));
    const cli = redisCli(inject('redisUrl'));
    closing.unshift(async () => cli.disconnect());
    expect(await writeNote(gateway, 'a', 'old')).toBe(true);
    const name = nameIn(database, 'a');
    for (const spoil of [() => cli.del(name), () => cli.set(name, 'by hand'), () => cli.hset(name, 'p', 'by hand')]) {
      const grounds = await groundsOf(gateway, 'a');
      await spoil();
      expect(await gateway.cache.stand(grounds)).toBe(false);
      await cli.del(name);
    }
  });

  it('has to be read again near the end of its life, where its view is kept warm', async () => {
    const time = testClock();
    const gateway = await open(inject('redisUrl'), time, [noteView, warmView]);
    const cli = redisCli(inject('redisUrl'));
    closing.unshift(async () => cli.disconnect());
    expect(await writeNote(gateway, 'a', 'old')).toBe(true);
    const young = await groundsOf(gateway, 'a', warmView);
    const tag = `{${database.installation}.${partitionOf('board', 'a', database.partitions)}}`;
    // Of the shortest life that jitter gives, so that nothing is due yet.
    const agedMs = Math.floor(RENEW_AFTER * (1 - JITTER) * warmView.ttlMs) - 60_000;
    await elapse(cli, { tag, view: 'board', key: 'a' }, agedMs);
    const old = await groundsOf(gateway, 'a', warmView);
    expect(old[0]?.dueMs).toBeLessThan((young[0]?.dueMs ?? 0) - agedMs / 2);
    expect(await gateway.cache.stand(old.map((ground) => ({ ...ground, dueMs: time.nowMs() })))).toBe(false);
  });
});
