// The triggers alone: every change of a cached table gives the entries that show it a new version, in the same
// transaction, in the order in which the transactions commit.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/cache/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';

let database: TestDatabase;
let key: string;
let keys = 0;

beforeAll(async () => {
  database = await createDatabase();
  await createNotes(database);
});
afterAll(() => database.close());
beforeEach(async () => {
  key = `note ${keys++}`;
  await database.psql`INSERT INTO notes VALUES (${key}, 'old')`;
});

interface Row {
  readonly version: bigint;
  readonly deleted: boolean;
  readonly partition: number;
}

async function entry(view: string, of = key): Promise<Row | undefined> {
  const [row] = await database.psql`SELECT version, deleted, partition FROM entry WHERE view = ${view} AND key = ${of}`;
  return row && { version: BigInt(row.version), deleted: row.deleted, partition: row.partition };
}
const versionOf = async (view: string, of = key) => (await entry(view, of))?.version ?? 0n;
/** Resolves once some session waits for a lock. */
const aLockIsAwaited = () =>
  eventually(async () => {
    const rows = await database.psql`SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'psql' AND wait_event_type = 'Lock'`;
    return rows.length > 0;
  });

describe('a version', () => {
  it('is new after INSERT, UPDATE and DELETE, and greater each time', async () => {
    const inserted = await versionOf('note');
    await database.psql`UPDATE notes SET text = 'new' WHERE key = ${key}`;
    const updated = await versionOf('note');
    await database.psql`DELETE FROM notes WHERE key = ${key}`;
    const deleted = await versionOf('note');
    expect(inserted).toBeGreaterThan(0n);
    expect(updated).toBeGreaterThan(inserted);
    expect(deleted).toBeGreaterThan(updated);
  });

  it('is given to every view of the table', async () => {
    expect(await versionOf('board')).toBeGreaterThan(0n);
  });

  it('is given back with the transaction', async () => {
    const before = await versionOf('note');
    await database.psql
      .begin(async (session) => {
        await session`UPDATE notes SET text = 'never' WHERE key = ${key}`;
        throw new Error('rolled back');
      })
      .catch(() => {});
    expect(await versionOf('note')).toBe(before);
  });

  it('never goes backwards between two transactions on one entry, whichever drew a number first', async () => {
    const seen: bigint[] = [];
    let second: Promise<unknown> = Promise.resolve();
    await database.psql.begin(async (first) => {
      await first`UPDATE notes SET text = 'first' WHERE key = ${key}`;
      second = database.psql`INSERT INTO note_lines VALUES (${key}, 1, 'second')`.then(
        () => database.psql`UPDATE notes SET text = 'second' WHERE key = ${key}`,
      );
      await aLockIsAwaited();
      await first`UPDATE notes SET text = 'first again' WHERE key = ${key}`;
      const [row] = await first`SELECT version FROM entry WHERE view = 'note' AND key = ${key}`;
      seen.push(BigInt(row?.version));
    });
    await second;
    seen.push(await versionOf('note'));
    expect(seen[1]).toBeGreaterThan(seen[0] ?? 0n);
  });

  it('is drawn under the lock: of two writers through different tables the later commits the greater', async () => {
    await database.psql.unsafe(`CREATE TABLE IF NOT EXISTS stamps (note text NOT NULL);
      DO $$ BEGIN PERFORM FROM pg_trigger WHERE tgname = 'capture_note_insert' AND tgrelid = 'stamps'::regclass;
      IF NOT FOUND THEN PERFORM capture('stamps', 'note', 'SELECT note FROM changed', false); END IF; END $$`);
    let second: Promise<unknown> = Promise.resolve();
    let first = 0n;
    await database.psql.begin(async (session) => {
      await session`UPDATE notes SET text = 'first' WHERE key = ${key}`;
      second = database.psql`INSERT INTO stamps VALUES (${key})`.then(() => {});
      await aLockIsAwaited();
      await session`UPDATE notes SET text = 'first again' WHERE key = ${key}`;
      const [row] = await session`SELECT version FROM entry WHERE view = 'note' AND key = ${key}`;
      first = BigInt(row?.version);
    });
    await second;
    expect(await versionOf('note')).toBeGreaterThan(first);
  });
});

describe('a change', () => {
  it('of a key counts for the old entry and the new one', async () => {
    const [before, renamed] = [await versionOf('note'), `${key} renamed`];
    await database.psql`UPDATE notes SET key = ${renamed} WHERE key = ${key}`;
    expect(await versionOf('note')).toBeGreaterThan(before);
    expect(await entry('note')).toMatchObject({ deleted: true });
    expect(await entry('note', renamed)).toMatchObject({ deleted: false });
  });

  it('of a child counts for its parent', async () => {
    await database.psql`INSERT INTO note_lines VALUES (${key}, 1, 'one')`;
    const inserted = await versionOf('note-lines');
    await database.psql`DELETE FROM notes WHERE key = ${key}`;
    expect(await versionOf('note-lines')).toBeGreaterThan(inserted);
  });

  it('by TRUNCATE counts for every entry of the view', async () => {
    const before = await versionOf('note');
    await database.psql`TRUNCATE notes CASCADE`;
    expect(await versionOf('note')).toBeGreaterThan(before);
    expect(await entry('note')).toMatchObject({ deleted: true });
  });

  it('of 10,000 rows runs the trigger once, within seconds', async () => {
    const startedMs = performance.now();
    await database.psql`INSERT INTO notes SELECT ${key} || ' ' || n, 'many' FROM generate_series(1, 10000) AS n`;
    expect(performance.now() - startedMs).toBeLessThan(40_000);
    const [row] = await database.psql`SELECT count(*)::int, count(DISTINCT version)::int AS versions
      FROM entry WHERE view = 'note' AND key LIKE ${`${key} %`}`;
    expect(row).toEqual({ count: 10_000, versions: 10_000 });
  });

  it('is captured where other triggers are switched off, as replication and restores do', async () => {
    const before = await versionOf('note');
    await database.psql.begin(async (session) => {
      await session`SET LOCAL session_replication_role = replica`;
      await session`UPDATE notes SET text = 'replicated' WHERE key = ${key}`;
    });
    expect(await versionOf('note')).toBeGreaterThan(before);
    const rows = await database.psql`SELECT tgenabled FROM pg_trigger WHERE tgname LIKE 'capture_%'`;
    expect(new Set(rows.map(({ tgenabled }) => tgenabled))).toEqual(new Set(['A']));
  });

  it('is captured in a session that has changed the table before its columns became others', async () => {
    const session = await database.psql.reserve();
    try {
      const versions = [await versionOf('note')];
      const change = async (text: string) => {
        await session`UPDATE notes SET text = ${text} WHERE key = ${key}`;
        versions.push(await versionOf('note'));
      };
      await change('before');
      await database.psql`ALTER TABLE notes ADD COLUMN extra bigint DEFAULT 1`;
      await change('with one more');
      await database.psql`ALTER TABLE notes DROP COLUMN extra`;
      await change('without it');
      expect(versions.every((version, at) => at === 0 || version > (versions[at - 1] ?? version))).toBe(true);
    } finally {
      session.release();
    }
  });

  it('of nothing changes no version', async () => {
    const before = await versionOf('note');
    await database.psql`UPDATE notes SET text = 'x' WHERE key = 'there is no such note'`;
    expect(await versionOf('note')).toBe(before);
  });

  it('by COPY, MERGE or ON CONFLICT is a change like any other', async () => {
    const before = await versionOf('note');
    await database.psql`INSERT INTO notes VALUES (${key}, 'upserted') ON CONFLICT (key) DO UPDATE SET text = excluded.text`;
    const upserted = await versionOf('note');
    expect(upserted).toBeGreaterThan(before);
    await database.psql`MERGE INTO notes USING (VALUES (${key})) AS given (key) ON notes.key = given.key
      WHEN MATCHED THEN UPDATE SET text = 'merged'`;
    expect(await versionOf('note')).toBeGreaterThan(upserted);
  });
});

describe('an entry', () => {
  it('has the partition that gateways look for it in', async () => {
    const odd = `${key} ção:{x} 🏦`;
    await database.psql`INSERT INTO notes VALUES (${odd}, 'text')`;
    for (const of of [key, odd]) {
      expect((await entry('note', of))?.partition).toBe(partitionOf('note', of, database.partitions));
    }
  });

  it('that is locked before it exists has no version yet', async () => {
    await database.psql`SELECT entry_lock('note', ${['nothing yet']})`;
    expect(await entry('note', 'nothing yet')).toMatchObject({ version: 0n, deleted: true });
    await database.psql`INSERT INTO notes VALUES ('nothing yet', 'text')`;
    expect((await entry('note', 'nothing yet'))?.deleted).toBe(false);
  });

  it('lets its writers in one after the other', async () => {
    const order: string[] = [];
    let second: Promise<unknown> = Promise.resolve();
    await database.psql.begin(async (first) => {
      await first`SELECT entry_lock('note', ${[key]})`;
      second = database.psql`SELECT entry_lock('note', ${[key]})`.then(() => order.push('second'));
      await aLockIsAwaited();
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});

describe('keys that come from a joined table', () => {
  it('are resolved again when the table moves while the lock is awaited', async () => {
    await database.psql.unsafe(`
      CREATE TABLE shelves (id integer PRIMARY KEY, name text NOT NULL);
      CREATE TABLE books (shelf integer NOT NULL, title text NOT NULL);
      SELECT capture('books', 'shelf', 'SELECT name FROM changed JOIN shelves ON shelves.id = shelf', false);
      INSERT INTO shelves VALUES (1, 'before')`);
    let inserted: Promise<unknown> = Promise.resolve();
    await database.psql.begin(async (session) => {
      await session`SELECT entry_lock('shelf', ${['before']})`;
      inserted = database.psql`INSERT INTO books VALUES (1, 'title')`.then(() => {});
      await aLockIsAwaited();
      await session`UPDATE shelves SET name = 'after'`;
    });
    await inserted;
    expect(await versionOf('shelf', 'after')).toBeGreaterThan(0n);
  });

  it('cover a new business day whose account changes its currency at the same time', async () => {
    await database.psql`INSERT INTO accounts (id, number, holder, currency, time_zone, opening)
      VALUES ('00000000-0000-0000-0000-000000000001', '42', 'holder', 'BRL', 'UTC', 0)`;
    let made: Promise<unknown> = Promise.resolve();
    await database.psql.begin(async (session) => {
      await session`INSERT INTO business_days VALUES
        ('00000000-0000-0000-0000-000000000001', '2026-01-02', 1, 'OPEN', 0, 0, 0, 0, 0, NULL)`;
      made = database.psql`UPDATE accounts SET currency = 'EUR' WHERE number = '42'`.then(() => {});
      await aLockIsAwaited();
    });
    await made;
    const [row] = await database.psql`SELECT e.xid = a.xid AS same FROM entry AS e, entry AS a
      WHERE e.view = 'statement' AND e.key = '42/2026-01-02' AND a.view = 'account' AND a.key = '42'`;
    expect(row?.same).toBe(true); // the change of currency came last, and counts for the new day as well
  });
});

it('a table that had rows before it was captured is covered from then on, TRUNCATE included', async () => {
  await database.psql.unsafe(`
    CREATE TABLE late (key text PRIMARY KEY);
    INSERT INTO late VALUES ('a');
    SELECT capture('late', 'late', 'SELECT key FROM changed', true);
    TRUNCATE late`);
  expect(await versionOf('late', 'a')).toBeGreaterThan(0n);
});
