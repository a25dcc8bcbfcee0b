// What the store holds is compared with SQL while both are at work: only what nothing explains counts as wrong.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type AnyView, partitionOf, type Verified, verifyBeside } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';
import { loadEntries } from '../../src/db/load.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { boardView, createNotes, linesView, noteView } from '../support/notes.js';
import { redisCli } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';
import { carriedOver, loadOne, plant } from './planting.js';

const MANY = 49_233;

/** The words of a note, as a set. */
const wordsView: AnyView<Query> = {
  ...{ name: 'note-words', format: 1, shape: 'set', mode: 'strict', ttlMs: 3_600_000 },
  load: (query, keys) =>
    loadEntries(
      query,
      'note-words',
      keys,
      sql`SELECT '{}' AS value, array_agg(word) AS members FROM note_words WHERE note = k.key HAVING count(*) > 0`,
    ),
};

/** How often a note has each word, as a hash. */
const countsView: AnyView<Query> = {
  ...{ name: 'note-counts', format: 1, shape: 'hash', mode: 'available', ttlMs: 3_600_000 },
  load: (query, keys) =>
    loadEntries(
      query,
      'note-counts',
      keys,
      sql`SELECT '{}' AS value, array_agg(pair.text ORDER BY word, at) AS members FROM note_words
        CROSS JOIN LATERAL (VALUES (1, word), (2, times::text)) AS pair (at, text) WHERE note = k.key HAVING count(*) > 0`,
    ),
};

const VIEWS = [noteView, linesView, wordsView, countsView];

async function createWords(database: TestDatabase): Promise<void> {
  await createNotes(database);
  await database.psql.unsafe(`
    CREATE TABLE note_words (note text NOT NULL, word text NOT NULL, times integer NOT NULL, PRIMARY KEY (note, word));
    SELECT capture('note_words', 'note-words', 'SELECT note FROM changed', false);
    SELECT capture('note_words', 'note-counts', 'SELECT note FROM changed', false)`);
}

describe.each(['redis', 'memory'] as const)('verify, with %s,', (kind) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    database = await createDatabase();
    await createWords(database);
    gateway = await openGateway(database, { store: kind, views: [...VIEWS, boardView] });
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });
  afterEach(() => gateway.atRelay.openAll());
  beforeEach(async () => {
    key = `n${keys++}`;
    await database.psql`INSERT INTO notes VALUES (${key}, 'text')`;
    await database.psql`INSERT INTO note_lines SELECT ${key}, n, 'line ' || n FROM generate_series(1, 3) AS n`;
    await database.psql`INSERT INTO note_words SELECT ${key}, 'word ' || n, n FROM generate_series(1, 3) AS n`;
  });

  const verify = (view: AnyView<Query>, some: readonly string[] = [key], repair = false) =>
    gateway.cache.verify(view.name, some, { repair });
  const tamper = (view: AnyView<Query>, wrong: Parameters<typeof plant>[4]) =>
    plant(gateway, database, view, key, wrong);
  const causes = ({ differences }: Verified) => differences.map(({ cause }) => cause);
  const later = async (view: AnyView<Query>) => String(BigInt((await loadOne(gateway, view, key)).version) + 1n);

  it.each(VIEWS)('finds nothing wrong where $name holds what SQL says, also that there is nothing', async (view) => {
    await gateway.cache.warm(view.name, [key, 'nowhere']);
    expect(await verify(view, [key, 'nowhere'])).toEqual({ keys: 2, same: 2, missing: 0, differences: [] });
  });

  it.each(VIEWS)('does not mind what $name does not hold, and leaves no trace of having asked', async (view) => {
    expect(await verify(view)).toEqual({ keys: 1, same: 0, missing: 1, differences: [] });
    expect((await gateway.cache.inspect(view.name, key))?.state).toBe('absent');
  });

  it.each([
    ['a text', noteView, { value: '"other"' }],
    ['a text that is said not to exist', noteView, { value: null }],
    ['a row of a list', linesView, { members: ['"line 1"', '"LINE 2"', '"line 3"'] }],
    ['the order of a list', linesView, { members: ['"line 2"', '"line 1"', '"line 3"'] }],
    ['a list that lacks its end', linesView, { members: ['"line 1"', '"line 2"'] }],
    ['a list that goes on', linesView, { members: ['"line 1"', '"line 2"', '"line 3"', '"line 4"'] }],
    ['a field of a hash', countsView, { members: ['word 1', '1', 'word 2', '22', 'word 3', '3'] }],
    ['a hash with another field', countsView, { members: ['word 1', '1', 'word 2', '2', 'word 4', '3'] }],
    ['a hash with a field too many', countsView, { members: ['word 1', '1', 'word 2', '2', 'word 3', '3', 'w', '4'] }],
    ['a set with another member', wordsView, { members: ['word 1', 'word 2', 'word 4'] }],
    ['a set with a member too many', wordsView, { members: ['word 1', 'word 2', 'word 3', 'word 4'] }],
    ['a set that lacks a member', wordsView, { members: ['word 1', 'word 2'] }],
    ['a value beside the members', wordsView, { value: '{"other": 1}' }],
  ] as const)('finds other content under the same version: %s', async (_, view, wrong) => {
    await tamper(view, wrong);
    const { version } = await loadOne(gateway, view, key);
    const difference = { view: view.name, key, cause: 'mismatch', storeVersion: version, sqlVersion: version };
    expect((await verify(view)).differences).toEqual([{ ...difference, repaired: false }]);
  });

  it('finds what is older than SQL though every change has been carried over, and what is newer', async () => {
    const { version } = await loadOne(gateway, noteView, key);
    await carriedOver(gateway, database);
    await tamper(noteView, { version: '1' });
    expect((await verify(noteView)).differences[0]).toMatchObject({
      cause: 'mismatch',
      storeVersion: '1',
      sqlVersion: version,
    });
    const newer = await later(noteView);
    await tamper(noteView, { version: newer });
    expect((await verify(noteView)).differences[0]).toMatchObject({ cause: 'mismatch', storeVersion: newer });
  });

  it('finds what stands though its row is gone', async () => {
    const { value } = await loadOne(gateway, noteView, key);
    await database.psql`DELETE FROM notes WHERE key = ${key}`;
    await carriedOver(gateway, database);
    await tamper(noteView, { value });
    expect(causes(await verify(noteView))).toEqual(['mismatch']);
  });

  it('repairs by dropping what is wrong, and that alone: the next reader finds it in SQL', async () => {
    await database.psql`INSERT INTO notes VALUES (${`${key} right`}, 'right')`;
    await gateway.cache.warm('note', [`${key} right`]);
    await tamper(noteView, { value: '"wrong"' });
    expect(await gateway.note(key)).toBe('wrong');
    const { same, differences } = await verify(noteView, [key, `${key} right`], true);
    expect([same, differences]).toEqual([1, [expect.objectContaining({ key, cause: 'mismatch', repaired: true })]]);
    expect(await gateway.note(key)).toBe('text');
    expect((await gateway.cache.inspect('note', `${key} right`))?.state).toBe('fresh');
  });

  it('takes a fence for what it is, and no committed write for wrong, published or not', async () => {
    await gateway.cache.warm('note', [key]);
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    const before = await verify(noteView, [key], true);
    expect(before.differences).toEqual([expect.objectContaining({ cause: 'fenced', repaired: false })]);
    await writing.commit();
    expect(causes(await verify(noteView))).not.toContain('mismatch');
    await writing.settle();
    expect((await verify(noteView)).differences).toEqual([]);
  });

  it('takes a change that the relay has not carried over for one on its way', async () => {
    await gateway.cache.warm('note', [key]);
    const gate = gateway.atRelay.close('look');
    await gate.reached;
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const servers = { ...gateway, source: gateway.connection.query, partitions: database.partitions };
    const beside = (repair: boolean) => verifyBeside(servers, noteView, [key], { repair });
    expect((await beside(true)).differences).toEqual([expect.objectContaining({ cause: 'pending', repaired: false })]);
    gate.open();
    await carriedOver(gateway, database);
    expect(await beside(false)).toMatchObject({ missing: 1, differences: [] });
  });

  it('shows only the beginning of a digest', async () => {
    const digests: AnyView<Query> = { ...noteView, keyIsDigest: true };
    const long = 'd'.repeat(64);
    await database.psql`INSERT INTO notes VALUES (${long}, 'text')`;
    await plant(gateway, database, noteView, long, { value: '"wrong"' });
    const servers = { ...gateway, source: gateway.connection.query, partitions: database.partitions };
    const { differences } = await verifyBeside(servers, digests, [long], { repair: true });
    expect(differences.map((each) => each.key)).toEqual(['dddddddd…']);
  });

  it('gives no verdict where the store is not vouched for', async () => {
    const servers = { ...gateway, source: gateway.connection.query, partitions: database.partitions };
    const moved: typeof gateway.store.meta = async (partitions) =>
      (await gateway.store.meta(partitions)).map((meta) => meta && { ...meta, stored: undefined });
    const elsewhere = { ...servers, store: { ...gateway.store, meta: moved } };
    const refused = verifyBeside(elsewhere, noteView, [key], { repair: false });
    await expect(refused).rejects.toMatchObject({ name: 'CacheUnavailable' });
  });

  it('gives no verdict where the guard changes while it looks', async () => {
    const servers = { ...gateway, source: gateway.connection.query, partitions: database.partitions };
    let looks = 0;
    const moving: typeof gateway.store.meta = async (partitions) =>
      (await gateway.store.meta(partitions)).map((meta) =>
        looks++ < database.partitions || !meta?.stored ? meta : { ...meta, stored: { ...meta.stored, epoch: '999' } },
      );
    const refused = verifyBeside({ ...servers, store: { ...gateway.store, meta: moving } }, noteView, [key], {
      repair: false,
    });
    await expect(refused).rejects.toMatchObject({ name: 'CacheUnavailable' });
  });

  it(`compares a set of ${MANY} members whole, by pieces that hold nobody up`, async () => {
    await database.psql`INSERT INTO note_words SELECT ${key}, 'many ' || n, n FROM generate_series(1, ${MANY - 3}::int) AS n`;
    await carriedOver(gateway, database);
    await gateway.cache.warm(wordsView.name, [key]);
    const pieces: number[] = [];
    const counting: typeof gateway.store.peek = (partition, item) => {
      pieces.push(item.part?.kind === 'contains' ? item.part.members.length : -1);
      return gateway.store.peek(partition, item);
    };
    const store = { ...gateway.store, peek: counting };
    const servers = { ...gateway, store, source: gateway.connection.query, partitions: database.partitions };
    expect((await verifyBeside(servers, wordsView, [key], { repair: false })).same).toBe(1);
    expect([Math.max(...pieces), pieces.reduce((sum, piece) => sum + piece)]).toEqual([1_000, MANY]);
    const { members } = await loadOne(gateway, wordsView, key);
    await tamper(wordsView, { members: [...(members ?? []).slice(1), 'one that SQL does not have'] });
    expect(causes(await verify(wordsView))).toEqual(['mismatch']);
  });

  it('raises no false alarm while writers of all kinds are at work', { timeout: 120_000 }, async () => {
    const busy = Array.from({ length: 4 }, (_, at) => `${key} busy ${at}`);
    await database.psql`INSERT INTO notes SELECT unnest(${busy}::text[]), 'text'`;
    let writing = true;
    let writes = 0;
    const writer = async (write: (at: number) => Promise<unknown>) => {
      for (let at = 0; writing; at++, writes++) await write(at).catch(() => {});
    };
    const busyKey = (at: number) => busy[at % busy.length] ?? key;
    const writers = [
      writer((at) => writeNote(gateway, busyKey(at), `written ${at}`)),
      writer((at) => database.psql`UPDATE notes SET text = ${`edited ${at}`} WHERE key = ${busyKey(at)}`),
      writer((at) => (at % 5 === 0 ? writeNote(gateway, busyKey(at), null) : gateway.note(busyKey(at)))),
      writer((at) => gateway.note(busyKey(at + 1))),
    ];
    const wrong: Verified['differences'][number][] = [];
    let verified = 0;
    try {
      for (; verified < 100; verified++) {
        const { differences } = await verify(verified % 2 === 0 ? noteView : boardView, busy);
        wrong.push(...differences.filter(({ cause }) => cause === 'mismatch'));
      }
    } finally {
      writing = false;
      await Promise.all(writers);
    }
    expect(wrong).toEqual([]);
    expect(writes).toBeGreaterThan(verified);
  });
});

describe('verify', () => {
  it('finds what was changed in Redis by hand', async () => {
    const database = await createDatabase();
    await createNotes(database);
    const gateway = await openGateway(database);
    await database.psql`INSERT INTO notes VALUES ('n', 'text')`;
    await gateway.cache.warm('note', ['n']);
    const cli = redisCli(inject('redisUrl'));
    const partition = partitionOf('note', 'n', database.partitions);
    await cli.hset(`{${database.installation}.${partition}}e:note:n`, 'value@1', '"by hand"');
    cli.disconnect();
    expect(await gateway.note('n')).toBe('by hand');
    const { differences } = await gateway.cache.verify('note', ['n'], { repair: true });
    expect(differences).toEqual([expect.objectContaining({ cause: 'mismatch', repaired: true })]);
    expect(await gateway.note('n')).toBe('text');
    await gateway.close();
    await database.close();
  });
});
