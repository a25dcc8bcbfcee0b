// Redis may die or freeze: reads go on from Postgres, a write that counted on it is refused rather than risk a stale
// answer, and both recover by themselves. Postgres may fail too: then an available view answers what is left, and says so.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheUnavailable } from '../../src/cache/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, noteView } from '../support/notes.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';

let redis: RedisServer;
let database: TestDatabase;
let gateway: Gateway;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());
beforeEach(async () => {
  database = await createDatabase();
  await createNotes(database);
  gateway = await openGateway(database, { redisUrl: redis.url, timeoutMs: 1_000 });
  await eventually(() => gateway.cache.status().trusted);
  await eventually(() => writeNote(gateway, 'a', 'old').catch(() => false));
  await hits(noteView);
});
/** Resolves once `a` is read out of the store. */
const hits = (view: typeof noteView) =>
  eventually(async () => {
    await gateway.read(view, 'a');
    return gateway.story.of(view.name, 'a').at(-1) === 'hit';
  });
afterEach(async () => {
  await redis.thaw();
  await gateway.close();
  await database.close();
});

const failures = {
  stopped: { begin: () => redis.kill(), end: () => redis.restart('empty') },
  frozen: { begin: () => redis.freeze(), end: () => redis.thaw() },
};

describe.each(['stopped', 'frozen'] as const)('while Redis is %s', (how) => {
  const failed = async () => {
    await failures[how].begin();
    await Promise.all([1, 2, 3].map(() => gateway.note('a')));
    await eventually(async () => {
      await gateway.note('a');
      return !gateway.cache.status().trusted;
    });
  };

  afterEach(async () => {
    if (how === 'stopped') await redis.restart('empty');
  });

  it('every read is answered, from the first', async () => {
    await failures[how].begin();
    expect(await gateway.note('a')).toBe('old');
    expect(gateway.story.of('note', 'a').at(-1)).toBe('bypass');
  });

  it('who has waited for Redis once does not ask it again', async () => {
    gateway.story.clear();
    await failures[how].begin();
    const asked = () => gateway.story.all('flush').length;
    await eventually(async () => {
      await gateway.note('a');
      return asked() > 0 || gateway.story.all('distrusted').length > 0;
    });
    const askedAgain = async () => {
      const before = asked();
      await gateway.note('b');
      return asked() - before;
    };
    if (how === 'frozen') expect(await askedAgain()).toBe(0);
    else await eventually(async () => (await askedAgain()) === 0); // refused at once: nobody has waited for that
  });

  it('reads come from Postgres without waiting for Redis', async () => {
    await failed();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    gateway.story.clear();
    for (let reads = 0; reads < 20; reads++) expect(await gateway.note('a')).toBe('new');
    expect(gateway.story.of('note', 'a')).toEqual(Array.from({ length: 20 }, () => ['loaded', 'bypass']).flat());
    expect(gateway.story.all('flush')).toEqual([]); // nothing was asked of Redis
  });

  it('a write that counted on it is refused at once, with an error that asks to try again, and leaves nothing', async () => {
    const writing = await beginWriting(gateway, 'a', 'never');
    await gateway.holdRelay(); // nobody may find out before the write does
    await failures[how].begin();
    const refusal = await writing.fence().catch((error) => error);
    expect(refusal).toBeInstanceOf(CacheUnavailable);
    expect(refusal.code).toBe('CACHE_UNREACHABLE');
    await writing.rollback();
    expect(await gateway.note('a')).toBe('old');
  });

  it('nobody is left waiting once it is back: reads hit, writes are visible', async () => {
    await failed();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    await failures[how].end();
    await eventually(() => gateway.cache.status().trusted);
    expect(await gateway.note('a')).toBe('new'); // trusted means: has caught up
    await eventually(async () => {
      gateway.story.clear();
      await gateway.note('a');
      return gateway.story.of('note', 'a').at(-1) === 'hit';
    });
    await eventually(() => writeNote(gateway, 'a', 'newer').catch(() => false));
    expect(await gateway.note('a')).toBe('newer');
  });
});

it('what a frozen Redis still had in its queue does no harm when it thaws', async () => {
  await redis.freeze();
  const refused = await beginWriting(gateway, 'a', 'never');
  await expect(refused.fence()).rejects.toBeInstanceOf(CacheUnavailable);
  await refused.rollback();
  await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
  await redis.thaw();
  await eventually(async () => {
    gateway.story.clear();
    const note = await gateway.note('a');
    expect(['old', 'new']).toContain(note); // until the edit is carried over
    return note === 'new' && gateway.story.of('note', 'a').at(-1) === 'hit';
  });
});

it('a gateway starts without Redis, answers from Postgres, and finds Redis later', async () => {
  await redis.kill();
  const late = await openGateway(database, { redisUrl: redis.url, start: false });
  await late.cache.start(200);
  expect(await late.note('a')).toBe('old');
  await redis.restart('empty');
  await eventually(() => late.cache.status().trusted);
  await eventually(() => writeNote(late, 'a', 'new').catch(() => false));
  await late.close();
});

it('a replica is never trusted', async () => {
  const master = await startRedisServer();
  await redis.cli.replicaof('127.0.0.1', Number(new URL(master.url).port));
  await eventually(async () => {
    expect(await gateway.note('a')).toBe('old');
    return !gateway.cache.status().trusted;
  });
  await redis.cli.replicaof('NO', 'ONE');
  await eventually(() => gateway.cache.status().trusted);
  await master.close();
});

it('a Redis without memory for values still takes fences, and every write is visible', async () => {
  await redis.cli.config('SET', 'maxmemory', '1');
  expect(await writeNote(gateway, 'a', 'new')).toBe(true);
  expect(await gateway.note('a')).toBe('new');
  expect(await writeNote(gateway, 'a', 'newer')).toBe(true);
  expect(await gateway.note('a')).toBe('newer');
  expect(gateway.cache.status().trusted).toBe(true);
  await redis.cli.config('SET', 'maxmemory', '0');
});

describe('while Postgres fails', () => {
  const fail = () => gateway.source.failNext(new Error('Postgres is out of reach.'));

  it('a hit needs no Postgres', async () => {
    fail();
    expect(await gateway.note('a')).toBe('old');
    expect(gateway.story.of('note', 'a').at(-1)).toBe('hit');
  });

  it('an available view answers what is left, marked stale; a strict one fails', async () => {
    await hits(boardView);
    const writing = await beginWriting(gateway, 'a', 'new');
    await writing.fence();
    fail();
    expect(await gateway.cache.request().read(boardView, 'a')).toMatchObject({ value: 'old', stale: true });
    fail();
    await expect(gateway.cache.request().read(noteView, 'a')).rejects.toThrow('Postgres is out of reach.');
    await writing.rollback();
    await writing.lift();
    expect(await gateway.cache.request().read(boardView, 'a')).toMatchObject({ value: 'old', stale: false });
  });

  it('an available view fails when nothing is left', async () => {
    fail();
    await expect(gateway.read(boardView, 'nothing')).rejects.toThrow('Postgres is out of reach.');
  });
});
