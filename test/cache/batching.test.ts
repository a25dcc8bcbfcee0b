// What is asked for during one turn of the event loop costs one round-trip to the store, and, where it is missing there,
// one SQL statement per view.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, linesView, noteView } from '../support/notes.js';
import { redisCli } from '../support/redis.js';

const ENTRIES = 20;

/** What a Redis with one partition gets to see: one command is one round-trip. */
async function monitor(installation: string) {
  const cli = redisCli(inject('redisUrl'));
  const watcher = await cli.monitor();
  const commands: string[][] = [];
  watcher.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua' && args.some((arg) => arg.includes(`{${installation}.`) || arg === installation)) {
      commands.push(args);
    }
  });
  return {
    /** Everything that was sent until now. */
    seen: async () => {
      await cli.echo(installation);
      await eventually(() => commands.some(([command]) => command?.toLowerCase() === 'echo'));
      return commands.splice(0).filter(([command]) => command?.toLowerCase() !== 'echo');
    },
    close: () => {
      watcher.disconnect();
      cli.disconnect();
    },
  };
}

describe.each([1, 16])('with %i partitions', (partitions) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let keys: string[];
  let round = 0;

  beforeAll(async () => {
    database = await createDatabase({ partitions });
    await createNotes(database);
    gateway = await openGateway(database);
    await gateway.holdRelay();
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });
  beforeEach(async () => {
    round++;
    keys = Array.from({ length: ENTRIES }, (_, index) => `note ${round}.${index}`);
    await database.psql`INSERT INTO notes SELECT key, 'text' FROM unnest(${keys}::text[]) AS key`;
    gateway.story.clear();
  });
  const readAll = async () => {
    const request = gateway.cache.request();
    return Promise.all(keys.map((key) => request.read(noteView, key)));
  };
  const statementsOf = async (act: () => Promise<unknown>) => {
    const before = gateway.source.sent();
    await act();
    return gateway.source.sent() - before;
  };

  it(`${ENTRIES} cold entries cost one flush and one statement`, async () => {
    expect(await statementsOf(readAll)).toBe(1);
    expect(gateway.story.all('flush')).toMatchObject([{ entries: ENTRIES }]);
    expect(gateway.story.all('loaded').map((each) => each.keys.length)).toEqual([ENTRIES]);
  });

  it(`${ENTRIES} warm entries cost one flush and no statement`, async () => {
    await readAll();
    await gateway.story.until('filled', undefined, ENTRIES);
    gateway.story.clear();
    expect(await statementsOf(readAll)).toBe(0);
    expect(gateway.story.all('flush')).toMatchObject([{ entries: ENTRIES }]);
    expect(gateway.story.all('hit')).toHaveLength(ENTRIES);
  });

  it('costs Redis one command for a read, and one per partition for a refill', async () => {
    const redis = await monitor(database.installation);
    await redis.seen();
    await readAll();
    await gateway.story.until('filled', undefined, ENTRIES);
    const [{ partitions: touched } = { partitions: 0 }] = gateway.story.all('flush');
    expect(touched).toBeLessThanOrEqual(partitions);
    const cold = (await redis.seen()).filter(isOnEntries);
    expect(cold.length).toBe(1 + touched);
    await readAll();
    const warm = (await redis.seen()).filter(isOnEntries);
    expect(warm.length).toBe(1);
    redis.close();
  });

  it('of several views costs one flush, and one statement per view that misses', async () => {
    const request = gateway.cache.request();
    const sent = await statementsOf(() =>
      Promise.all([
        ...keys.map((key) => request.read(noteView, key)),
        ...keys.map((key) => request.read(boardView, key)),
        ...keys.map((key) => request.readRows(linesView, key, { first: 0, last: 9 })),
      ]),
    );
    expect(sent).toBe(3);
    expect(gateway.story.all('flush')).toMatchObject([{ entries: 3 * ENTRIES }]);
  });

  it('of many requests at once costs one flush and one statement', async () => {
    expect(await statementsOf(() => Promise.all([readAll(), readAll(), readAll()]))).toBe(1);
    expect(gateway.story.all('flush')).toMatchObject([{ entries: ENTRIES }]);
  });

  it('asks for an entry once per request, and again after the request has written', async () => {
    const request = gateway.cache.request();
    const [key = ''] = keys;
    await request.read(noteView, key);
    await request.read(noteView, key);
    expect(gateway.story.all('flush')).toHaveLength(1);
    request.clear();
    await request.read(noteView, key);
    expect(gateway.story.all('flush')).toHaveLength(2);
  });

  it('of more keys than fit one statement costs as few as possible', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `many ${round}.${index}`);
    const request = gateway.cache.request();
    expect(await statementsOf(() => Promise.all(many.map((key) => request.read(noteView, key))))).toBe(3);
  });
});

/** Told from the relay's work on the meta: it names keys of entries. */
const isOnEntries = (args: string[]) => args.some((arg) => arg.includes('}e:note'));

describe('a request for what cannot exist', () => {
  let database: TestDatabase;
  let gateway: Gateway;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes VALUES ('a', 'text'), ('b', 'text')`;
    gateway = await openGateway(database);
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });

  for (const [name, key] of Object.entries({
    'a key with a NUL': 'a\0b',
    'a key with half a surrogate pair': 'a\ud800b',
    'an empty key': '',
  })) {
    it(`${name} is absent, and spoils no other request of the same turn`, async () => {
      const answers = await Promise.allSettled([gateway.note('a'), gateway.note(key), gateway.note('b')]);
      expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message))).toEqual([
        'text',
        undefined,
        'text',
      ]);
    });
  }
});
