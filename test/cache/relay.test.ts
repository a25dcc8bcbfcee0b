// Whoever changes a cached table, by whatever program, is carried over to the store by himself alone, and soon.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes } from '../support/notes.js';
import { redisCli } from '../support/redis.js';

/** Typically within 100 ms; tests share a slow machine. */
const SOON_MS = 15_000;

describe.each(['redis', 'memory'] as const)('a change made with psql, with %s', (store) => {
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
    await database.psql`INSERT INTO note_lines VALUES (${key}, 1, 'one'), (${key}, 2, 'two')`;
    await warm(() => gateway.note(key), 'note');
    await warm(() => gateway.lines(key), 'note-lines');
  });
  /** Reads until the answer comes out of the store. */
  const warm = async (read: () => Promise<unknown>, view: string, of = key) => {
    await eventually(async () => {
      await read();
      return gateway.story.of(view, of).at(-1) === 'hit';
    });
  };
  /** Resolves once the relay has carried over what `change` commits. */
  const carriedOver = async (change: () => Promise<unknown>) => {
    const look = await gateway.holdRelay();
    await change();
    gateway.story.clear();
    look.open();
    await gateway.story.until('relayed');
  };
  const soon = (check: () => Promise<boolean>) => eventually(check, SOON_MS);

  it('shows after UPDATE', async () => {
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    await soon(async () => (await gateway.note(key)) === 'new');
  });

  it('shows after DELETE', async () => {
    await database.psql`DELETE FROM notes WHERE key = ${key}`;
    await soon(async () => (await gateway.note(key)) === undefined);
  });

  it('shows after INSERT where nothing was known to exist', async () => {
    const created = `${key} created`;
    await warm(() => gateway.note(created), 'note', created);
    await database.psql`INSERT INTO notes VALUES (${created}, 'new')`;
    await soon(async () => (await gateway.note(created)) === 'new');
  });

  it('shows after TRUNCATE', async () => {
    await database.psql`TRUNCATE notes CASCADE`;
    await soon(async () => (await gateway.note(key)) === undefined);
    await soon(async () => (await gateway.lines(key)).length === 0);
  });

  it('shows in every view of the table', async () => {
    await warm(() => gateway.read(boardView, key), 'board');
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    await soon(async () => (await gateway.read(boardView, key)) === 'new');
  });

  it('of a child row shows in its parent', async () => {
    await database.psql`UPDATE note_lines SET text = 'TWO' WHERE note = ${key} AND position = 2`;
    await soon(async () => (await gateway.lines(key))[1] === 'TWO');
    await database.psql`INSERT INTO note_lines VALUES (${key}, 3, 'three')`;
    await soon(async () => (await gateway.lines(key)).length === 3);
    await database.psql`DELETE FROM note_lines WHERE note = ${key} AND position = 1`;
    await soon(async () => (await gateway.lines(key))[0] === 'TWO');
  });

  it('of a key shows under the old key and the new one, children included', async () => {
    const renamed = `${key} renamed`;
    await warm(() => gateway.note(renamed), 'note', renamed);
    await warm(() => gateway.lines(renamed), 'note-lines', renamed);
    await database.psql`UPDATE notes SET key = ${renamed} WHERE key = ${key}`;
    await soon(async () => (await gateway.note(renamed)) === 'old' && (await gateway.lines(renamed)).length === 2);
    await soon(async () => (await gateway.note(key)) === undefined && (await gateway.lines(key)).length === 0);
  });

  it('that moves a child shows in both parents', async () => {
    const other = `${key} other`;
    await database.psql`INSERT INTO notes VALUES (${other}, 'other')`;
    await warm(() => gateway.lines(other), 'note-lines', other);
    await database.psql`UPDATE note_lines SET note = ${other} WHERE note = ${key} AND position = 2`;
    await soon(async () => (await gateway.lines(key)).length === 1 && (await gateway.lines(other)).length === 1);
  });

  it('shows once it is committed and not before', async () => {
    await database.psql.begin(async (session) => {
      await session`UPDATE notes SET text = 'new' WHERE key = ${key}`;
      await database.psql`UPDATE notes SET text = 'other' WHERE key = 'nobody'`;
      expect(await gateway.note(key)).toBe('old');
    });
    await soon(async () => (await gateway.note(key)) === 'new');
  });

  it('shows although a transaction with a lower id is still open', async () => {
    await database.psql.begin(async (session) => {
      await session`INSERT INTO notes VALUES (${`${key} slow`}, 'slow')`;
      await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
      await soon(async () => (await gateway.note(key)) === 'new');
      await warm(() => gateway.note(`${key} slow`), 'note', `${key} slow`);
    });
    await soon(async () => (await gateway.note(`${key} slow`)) === 'slow');
  });

  it('refuses a refill that was read before it', async () => {
    const cold = `${key} cold`;
    const loaded = gateway.source.gates.close('load', 'after');
    const reading = gateway.note(cold);
    await loaded.reached;
    await carriedOver(() => database.psql`INSERT INTO notes VALUES (${cold}, 'new')`);
    loaded.open();
    expect(await reading).toBeUndefined();
    expect(await gateway.note(cold)).toBe('new');
  });

  it('keeps an entry that is as new already', async () => {
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    await soon(async () => (await gateway.note(key)) === 'new');
    await warm(() => gateway.note(key), 'note');
    const sent = gateway.source.sent();
    await carriedOver(() => database.psql`INSERT INTO notes VALUES (${`${key} other`}, 'other')`);
    expect(await gateway.note(key)).toBe('new');
    expect(gateway.source.sent()).toBe(sent);
  });
});

describe('the relays of several gateways', () => {
  let database: TestDatabase;
  const cli = redisCli(inject('redisUrl'));
  const cursors = async () => {
    const all: (string | null)[] = [];
    for (let partition = 0; partition < database.partitions; partition++) {
      all.push(await cli.hget(`{${database.installation}.${partition}}m`, 'c'));
    }
    return all;
  };

  beforeEach(async () => {
    database = await createDatabase({ partitions: 4 });
    await createNotes(database);
    await database.psql`INSERT INTO notes VALUES ('a', 'old')`;
    return () => database.close();
  });
  afterAll(() => cli.disconnect());

  it('carry over what was changed while no gateway was at work, before start resolves', async () => {
    const first = await openGateway(database);
    await first.note('a');
    await first.story.until('filled');
    await first.close();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    const second = await openGateway(database);
    expect(await second.note('a')).toBe('new');
    expect(second.story.all('generation')).toEqual([]);
    await second.close();
  });

  it('move every cursor on, so that a start finds little to do', async () => {
    const gateway = await openGateway(database);
    const before = await cursors();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    await eventually(async () => (await cursors()).every((cursor, at) => cursor !== before[at]));
    await gateway.close();
    const next = await openGateway(database);
    expect(next.story.all('relayed').reduce((sum, { entries }) => sum + entries, 0)).toBeLessThanOrEqual(2);
    await next.close();
  });

  it('let another go ahead when the leader is stuck', async () => {
    const leader = await openGateway(database);
    await eventually(async () => leader.changeLog.lead());
    const other = await openGateway(database);
    leader.atRelay.close('look');
    await other.note('a');
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    await eventually(async () => (await other.note('a')) === 'new');
    await Promise.all([leader.close(), other.close()]);
  });

  it('tell of a lag that grows where the store is lost, also by one that does not lead', async () => {
    const lost = await openGateway(database, { redisUrl: 'redis://127.0.0.1:1', leads: false, start: false });
    await lost.cache.start(1);
    await eventually(() => lost.cache.status().relayLagMs > 1_000);
    await lost.close();
  });

  it('let another lead when the leader is gone', async () => {
    const leader = await openGateway(database);
    const other = await openGateway(database);
    await leader.close();
    await other.note('a');
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    await eventually(async () => (await other.note('a')) === 'new');
    await other.close();
  });

  it('begin an empty generation rather than carry over a change log without end', async () => {
    // One partition, because what is too much counts for all that stand at one cursor.
    const long = await createDatabase({ partitions: 1 });
    await createNotes(long);
    await long.psql`INSERT INTO notes VALUES ('a', 'old')`;
    const gateway = await openGateway(long);
    await gateway.note('a');
    await gateway.story.until('filled');
    const look = await gateway.holdRelay();
    await long.psql`INSERT INTO notes SELECT 'bulk ' || n, 'bulk' FROM generate_series(1, 10001) AS n`;
    await long.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    gateway.story.clear();
    look.open();
    await gateway.story.until('generation');
    await eventually(() => gateway.cache.status().trusted);
    expect(await gateway.note('a')).toBe('new');
    await gateway.close();
    await long.close();
  });
});
