// The change feed: whoever listens hears of every commit, and never reads an older value than he was told of.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeStream } from '../../src/cache/change-stream.js';
import { FeedInterrupted } from '../../src/cache/errors.js';
import { Events } from '../../src/cache/events.js';
import { ChangeFeed } from '../../src/cache/feed.js';
import { Floors } from '../../src/cache/floors.js';
import type { ChangeBatch, ChangedEntry, ChangeLog } from '../../src/cache/ports.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, noteView } from '../support/notes.js';
import { writeNote } from '../support/writing.js';

const taken = async (stream: ChangeStream) => {
  const { value } = await stream.next();
  if (!value) throw new Error('The stream has ended.');
  return value;
};

describe.each(['redis', 'memory'] as const)('the feed, with %s', (store) => {
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
    await database.psql`INSERT INTO notes VALUES (${key}, 'old')`;
    for (const view of [noteView, boardView]) {
      await eventually(async () => {
        await gateway.read(view, key);
        return gateway.story.of(view.name, key).at(-1) === 'hit';
      });
    }
  });
  const listen = (view = 'note') => gateway.cache.feed.listen({ view, concerns: (each) => each === key });
  const versionInStore = async (view: string) => BigInt((await gateway.cache.inspect(view, key))?.version ?? 0);

  it('tells of psql and of mutations, with the version that was committed', async () => {
    const stream = await listen();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const { version } = await taken(stream);
    const [row] = await database.psql`SELECT version FROM entry WHERE view = 'note' AND key = ${key}`;
    expect(String(version)).toBe(row?.version);
    await writeNote(gateway, key, 'newer');
    expect((await taken(stream)).version).toBeGreaterThan(version);
    await stream.return();
  });

  it('tells nothing of what is not committed', async () => {
    const stream = await listen();
    await database.psql.begin(async (session) => {
      await session`UPDATE notes SET text = 'new' WHERE key = ${key}`;
      const first = taken(stream).then(() => 'told');
      expect(await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 250, 'silent'))])).toBe('silent');
      void first.catch(() => {});
    });
    await stream.return();
  });

  it('is never followed by an older value, although the relay has not dropped it yet', async () => {
    const drop = gateway.atStore.close('drop');
    const stream = await listen();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const { version } = await taken(stream);
    expect(await versionInStore('note')).toBeLessThan(version);
    expect(await gateway.note(key)).toBe('new');
    expect(await gateway.read(boardView, key)).toBe('new');
    expect(await versionInStore('note')).toBeLessThan(version);
    drop.open();
    await eventually(async () => (await versionInStore('note')) === 0n || (await versionInStore('note')) >= version);
    await gateway.note(key);
    await eventually(async () => (await versionInStore('note')) >= version);
    expect(await gateway.note(key)).toBe('new');
    await stream.return();
  });

  it('is never followed by an older answer that is given again', async () => {
    const drop = gateway.atStore.close('drop');
    const request = gateway.cache.request();
    await request.read(noteView, key);
    const grounds = (await request.grounds) ?? [];
    expect(grounds.length).toBe(1);
    expect(await gateway.cache.stand(grounds)).toBe(true);
    const stream = await listen();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const { version } = await taken(stream);
    expect(await versionInStore('note')).toBeLessThan(version);
    expect(await gateway.cache.stand(grounds)).toBe(false);
    drop.open();
    await stream.return();
  });

  it('leads to an older value only marked stale, when SQL is out of reach', async () => {
    const drop = gateway.atStore.close('drop');
    const stream = await listen('board');
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const { version } = await taken(stream);
    gateway.source.failNext(new Error('lost'));
    expect(await gateway.cache.request().read(boardView, key)).toMatchObject({ value: 'old', stale: true });
    gateway.source.failNext(new Error('lost'));
    await expect(gateway.cache.request().readAtLeast(boardView, key, version)).rejects.toThrow('lost');
    gateway.source.failNext(new Error('lost'));
    await expect(gateway.note(key)).rejects.toThrow('lost');
    drop.open();
    await stream.return();
  });
});

it('a version that another gateway was told of can be demanded here', async () => {
  const database = await createDatabase();
  await createNotes(database);
  await database.psql`INSERT INTO notes VALUES ('a', 'old')`;
  const [one, other] = [await openGateway(database), await openGateway(database, { leads: false })];
  await eventually(async () => (await other.note('a')) === 'old' && other.story.of('note', 'a').at(-1) === 'hit');
  const drops = [one.atStore.close('drop'), other.atStore.close('drop')];
  const stream = await one.cache.feed.listen({ view: 'note', concerns: () => true });
  await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
  const { version } = await taken(stream);
  const request = other.cache.request();
  expect(await request.read(noteView, 'a')).toMatchObject({ value: 'old' });
  expect(await request.readAtLeast(noteView, 'a', version)).toMatchObject({ value: 'new', version });
  expect(await request.read(noteView, 'a')).toMatchObject({ value: 'new' });
  expect(request.trace.map(({ outcome }) => outcome)).toEqual(['HIT', 'BYPASS']);
  for (const drop of drops) drop.open();
  await stream.return();
  await one.close();
  await other.close();
  await database.close();
});

describe('looking', () => {
  const clock = testClock({ still: true });
  const events = new Events();
  let looks: string[];
  let answer: (cursor: string) => Partial<ChangeBatch> | Error;
  let feed: ChangeFeed;

  beforeEach(() => {
    looks = [];
    answer = () => ({});
    const changeLog: Pick<ChangeLog, 'now' | 'changesSince'> = {
      now: async () => 'begin',
      changesSince: async (cursor) => {
        looks.push(cursor);
        const look = answer(cursor);
        if (look instanceof Error) throw look;
        return { cursor, entries: [], insertedLsn: 0n, flushedLsn: 0n, awaited: false, session: '', ...look };
      },
    };
    feed = new ChangeFeed({
      changeLog: changeLog as ChangeLog,
      partitions: 1,
      clock,
      events,
      floors: new Floors(clock),
    });
  });
  const changes = (...names: string[]): ChangedEntry[] =>
    names.map((name) => {
      const [key = '', version = ''] = name.split('@');
      return { partition: 0, view: 'note', key, version, xid: '1' };
    });
  const all = { view: 'note', concerns: () => true };
  const look = async () => {
    const before = looks.length;
    await eventually(() => clock.sleepers() > 0);
    clock.skip(100);
    await eventually(() => looks.length > before && clock.sleepers() > 0);
  };
  const close = async () => {
    let over = false;
    const closed = feed.close().then(() => {
      over = true;
    });
    await eventually(() => {
      clock.skip(100);
      return over;
    });
    await closed;
  };

  it('goes on only while somebody listens, and from now when somebody comes again', async () => {
    answer = () => ({ cursor: 'later' });
    const stream = await feed.listen(all);
    await look();
    await stream.return();
    await eventually(() => {
      clock.skip(100);
      return clock.sleepers() === 0;
    });
    await new Promise((resolve) => setImmediate(resolve));
    const before = looks.length;
    for (let time = 0; time < 5; time++) {
      clock.skip(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(looks.length).toBe(before);
    const again = await feed.listen(all);
    await eventually(() => looks.length > before);
    expect(looks.at(-1)).toBe('begin');
    await again.return();
    await close();
  });

  it('tells nobody of what was committed before he came', async () => {
    const first = await feed.listen(all);
    await eventually(() => looks.length > 0);
    answer = () => ({ entries: changes('a@1') });
    const second = await feed.listen(all);
    answer = () => ({ entries: changes('b@2') });
    await look();
    expect([(await taken(first)).key, (await taken(first)).key, (await taken(second)).key]).toEqual(['a', 'b', 'b']);
    await close();
  });

  it('is repeated from the same place when it failed, and says so', async () => {
    const failing: unknown[] = [];
    events.on((event) => event.kind === 'failing' && failing.push(event.part));
    answer = () => ({ cursor: 'one' });
    const stream = await feed.listen(all);
    await eventually(() => looks.length > 0);
    answer = () => new Error('lost');
    await look();
    await look();
    answer = (cursor) => ({ cursor: 'two', entries: cursor === 'one' ? changes('a@1') : [] });
    await look();
    expect(looks.slice(0, 4)).toEqual(['begin', 'one', 'one', 'one']);
    expect(await taken(stream)).toEqual({ view: 'note', key: 'a', version: 1n });
    expect(failing).toEqual(['feed', 'feed']);
    await close();
  });

  it('keeps for a slow listener the newest version of each key, in the order in which they came', async () => {
    const stream = await feed.listen(all);
    answer = () => ({ entries: changes('a@1', 'b@2') });
    await look();
    answer = () => ({ entries: changes('a@3') });
    await look();
    answer = () => ({});
    expect([await taken(stream), await taken(stream)]).toMatchObject([
      { key: 'a', version: 3n },
      { key: 'b', version: 2n },
    ]);
    await close();
  });

  it.each([
    ['the change log cannot be continued', () => ({ entries: undefined })],
    [
      'a listener is too far behind',
      () => ({ entries: changes(...Array.from({ length: 10_001 }, (_, at) => `${at}@1`)) }),
    ],
  ])('ends a stream with an error when %s', async (_, lost) => {
    const stream = await feed.listen(all);
    answer = lost;
    await eventually(() => {
      clock.skip(100);
      return feed.listeners === 0;
    });
    await expect(stream.next()).rejects.toThrow(FeedInterrupted);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(feed.listeners).toBe(0);
    await close();
  });

  it('lets a listener who waits go when the feed is closed', async () => {
    const stream = await feed.listen(all);
    const waiting = stream.next();
    await close();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});
