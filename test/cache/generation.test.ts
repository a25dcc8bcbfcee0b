// A Redis that lost its memory, or got an old one back, begins an empty generation: nothing that it held before the
// loss is ever answered, and all gateways agree on what is in force.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/cache/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { writeNote } from '../support/writing.js';

let redis: RedisServer;
let database: TestDatabase;
let one: Gateway;
let two: Gateway;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());
beforeEach(async () => {
  database = await createDatabase();
  await createNotes(database);
  one = await openGateway(database, { redisUrl: redis.url });
  two = await openGateway(database, { redisUrl: redis.url });
  await writeNote(one, 'a', 'old');
  await eventually(() => cached('old')); // the relay may drop what was there before the write comes to publish
});
afterEach(async () => {
  await Promise.all([one.close(), two.close()]);
  await database.close();
});

const both = () => [one, two];
const name = (key: string) => {
  const partition = partitionOf('note', key, database.partitions);
  return {
    meta: `{${database.installation}.${partition}}m`,
    entry: `{${database.installation}.${partition}}e:note:${key}`,
  };
};
const inRedis = async (key: string) => (await redis.cli.hgetall(name(key).entry))['value@1'];

/** Whether both gateways answer this text out of the store. */
async function cached(text: string): Promise<boolean> {
  for (const gateway of both()) {
    gateway.story.clear();
    if ((await gateway.note('a')) !== text) throw new Error(`${text} was expected.`);
    if (gateway.story.of('note', 'a').at(-1) !== 'hit') return false;
  }
  return true;
}

const trusted = () => eventually(() => both().every(({ cache }) => cache.status().trusted));

/** What Postgres and Redis hold each partition to: the same. */
async function expectAgreement(): Promise<void> {
  await eventually(async () => {
    const rows = await database.psql`SELECT partition, generation::text FROM entry_partition`;
    const metas = rows.map(({ partition }) => redis.cli.hget(`{${database.installation}.${partition}}m`, 'g'));
    const agreed = (await Promise.all(metas)).every((generation, at) => generation === rows[at]?.generation);
    return agreed && rows.length === database.partitions && both().every(({ cache }) => cache.status().trusted);
  });
}

describe('after a restart of Redis', () => {
  it('empty, nothing older than Postgres is answered, and the store is used again', async () => {
    await redis.kill();
    await database.psql`UPDATE notes SET text = 'new' WHERE key = 'a'`;
    for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
    await redis.restart('empty');
    for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
    await trusted();
    await eventually(() => cached('new'));
    await expectAgreement();
  });

  it('from an old dump, nothing that the dump brought back is answered', async () => {
    await redis.save();
    expect(await writeNote(one, 'a', 'new')).toBe(true);
    await redis.restart('dump');
    expect(await inRedis('a')).toBe('"old"');
    for (const gateway of both()) expect(await gateway.note('a')).toBe('new');
    await trusted();
    await eventually(() => cached('new'));
    await expectAgreement();
  });

  it('from an old dump, a gateway that starts only then answers nothing of it', async () => {
    await redis.save();
    expect(await writeNote(one, 'a', 'new')).toBe(true);
    await Promise.all([one.close(), two.close()]);
    await redis.restart('dump');
    [one, two] = [
      await openGateway(database, { redisUrl: redis.url }),
      await openGateway(database, { redisUrl: redis.url }),
    ];
    expect(await one.note('a')).toBe('new');
    await eventually(() => cached('new'));
    await expectAgreement();
  });
});

describe('after FLUSHALL', () => {
  it('both gateways agree on one new generation', async () => {
    await redis.cli.flushall();
    for (const gateway of both()) expect(await gateway.note('a')).toBe('old');
    await trusted();
    await eventually(() => cached('old'));
    await expectAgreement();
  });

  it('a write that was fenced before is acknowledged under the new generation', async () => {
    const published = one.atStore.close('publish');
    const written = writeNote(one, 'a', 'new');
    await published.reached;
    await redis.cli.flushall();
    await eventually(async () => (await two.note('a')) === 'new' && two.cache.status().trusted);
    published.open();
    expect(await written).toBe(true);
    await eventually(() => cached('new'));
  });

  it('a refill that was granted before is not stored', async () => {
    await writeNote(one, 'a', null);
    await redis.cli.flushall();
    await eventually(async () => (await one.note('a')) === undefined && one.cache.status().trusted);
    const loaded = one.source.gates.close('load', 'after');
    const reading = one.note('b');
    await loaded.reached;
    await redis.cli.flushall();
    await two.note('b');
    await eventually(() => two.cache.status().trusted);
    await database.psql`INSERT INTO notes VALUES ('b', 'new')`;
    loaded.open();
    await reading;
    await eventually(async () => (await two.note('b')) === 'new');
    for (const gateway of both()) expect(await gateway.note('b')).toBe('new');
  });
});

it('a partition whose meta key was deleted begins anew, and no other does', async () => {
  const elsewhere = ['b', 'c', 'd', 'e', 'f'].find((key) => name(key).meta !== name('a').meta) ?? '';
  await writeNote(one, elsewhere, 'kept');
  await eventually(async () => {
    one.story.clear();
    return (await one.note(elsewhere)) === 'kept' && one.story.of('note', elsewhere).at(-1) === 'hit';
  });
  await redis.cli.del(name('a').meta);
  for (const gateway of both()) expect(await gateway.note('a')).toBe('old');
  await trusted();
  await eventually(() => cached('old'));
  one.story.clear();
  expect(await one.note(elsewhere)).toBe('kept');
  expect(one.story.of('note', elsewhere)).toEqual(['hit']);
});

it('a gateway that starts later joins the generation in force', async () => {
  const [before] = await database.psql`SELECT array_agg(generation) AS all FROM entry_partition`;
  const third = await openGateway(database, { redisUrl: redis.url });
  expect(third.story.all('generation')).toEqual([]);
  expect(await third.note('a')).toBe('old');
  expect(third.story.of('note', 'a')).toEqual(['hit']);
  expect(await database.psql`SELECT array_agg(generation) AS all FROM entry_partition`).toEqual([before]);
  await third.close();
});

it('a database that was set back to a backup never revives what Redis held since', async () => {
  const backup = await database.psql`SELECT partition, incarnation, epoch, generation FROM entry_partition`;
  await redis.cli.flushall();
  await one.note('a');
  await trusted();
  await eventually(() => writeNote(one, 'a', 'undone').catch(() => false));
  await eventually(() => cached('undone'));
  expect(await inRedis('a')).toBe('"undone"');
  await Promise.all([one.close(), two.close()]);
  await database.psql`ALTER TABLE notes DISABLE TRIGGER ALL`;
  await database.psql`UPDATE notes SET text = 'restored' WHERE key = 'a'`;
  for (const { partition, epoch, generation } of backup) {
    await database.psql`UPDATE entry_partition SET epoch = ${epoch}, generation = ${generation} WHERE partition = ${partition}`;
  }
  [one, two] = [
    await openGateway(database, { redisUrl: redis.url }),
    await openGateway(database, { redisUrl: redis.url }),
  ];
  for (const gateway of both()) expect(await gateway.note('a')).toBe('restored');
});

it('a database whose cache state was lost never revives what Redis held before', async () => {
  await Promise.all([one.close(), two.close()]);
  await database.psql`ALTER TABLE notes DISABLE TRIGGER ALL`;
  await database.psql`UPDATE notes SET text = 'restored' WHERE key = 'a'`;
  await database.psql`DELETE FROM entry_partition`;
  [one, two] = [
    await openGateway(database, { redisUrl: redis.url }),
    await openGateway(database, { redisUrl: redis.url }),
  ];
  for (const gateway of both()) expect(await gateway.note('a')).toBe('restored');
});
