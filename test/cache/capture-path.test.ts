// A session's search_path decides nothing: changes are captured in Espelho's tables, and keys come from the tables that a
// capture was made for, whatever else has their names. Databases from before that are brought there.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { createNotes } from '../support/notes.js';

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await createNotes(database);
});
afterAll(() => database.close());

async function versionOf(view: string, key: string, psql = database.psql): Promise<bigint> {
  const [row] = await psql`SELECT version FROM public.entry WHERE view = ${view} AND key = ${key}`;
  return BigInt(row?.version ?? 0);
}

/** Runs statements in a session of its own that looks for names elsewhere first. */
async function elsewhere(path: string, statements: string): Promise<void> {
  const session = await database.psql.reserve();
  try {
    await session.unsafe(`SET search_path = ${path}; ${statements}`);
  } finally {
    await session.unsafe('RESET search_path; DISCARD TEMP');
    session.release();
  }
}

describe('a change is captured', () => {
  it('by functions that are not compiled where their scans are put off', async () => {
    const functions = await database.psql`SELECT proname, proconfig FROM pg_proc
      WHERE 'enable_seqscan=off' = ANY (proconfig) OR proname = 'entry_partition_of'`;
    expect(functions.length).toBeGreaterThan(5);
    expect(functions.filter(({ proconfig }) => !proconfig.includes('jit=off'))).toEqual([]);
  });

  it.each([
    'nowhere',
    'pg_catalog',
    'pg_temp',
    'decoy, public',
  ])('in a session that looks in %s first', async (path) => {
    await database.psql.unsafe(`CREATE SCHEMA IF NOT EXISTS decoy;
      CREATE TABLE IF NOT EXISTS decoy.entry (LIKE public.entry INCLUDING ALL);
      CREATE TABLE IF NOT EXISTS decoy.installation AS SELECT * FROM public.installation;
      CREATE SEQUENCE IF NOT EXISTS decoy.entry_version`);
    const key = `seen from ${path}`;
    await elsewhere(path, `INSERT INTO public.notes VALUES ('${key}', 'old')`);
    const inserted = await versionOf('note', key);
    expect(inserted).toBeGreaterThan(0n);
    await elsewhere(path, `UPDATE public.notes SET text = 'new' WHERE key = '${key}'`);
    const updated = await versionOf('note', key);
    expect(updated).toBeGreaterThan(inserted);
    await elsewhere(path, `TRUNCATE public.note_lines; DELETE FROM public.notes WHERE key = '${key}'`);
    expect(await versionOf('note', key)).toBeGreaterThan(updated);
  });

  it('in a session with temporary tables of the same names', async () => {
    await elsewhere(
      'pg_temp, public',
      `CREATE TEMP TABLE entry (LIKE public.entry INCLUDING ALL);
       CREATE TEMP TABLE installation AS SELECT * FROM public.installation;
       CREATE TEMP TABLE accounts (id uuid, number text);
       INSERT INTO public.notes VALUES ('beside temporary ones', 'text')`,
    );
    expect(await versionOf('note', 'beside temporary ones')).toBeGreaterThan(0n);
  });

  it('of tables of the same name in two schemas, each by keys of its own', async () => {
    for (const schema of ['one', 'two']) {
      await elsewhere(
        `${schema}, public`,
        `CREATE SCHEMA ${schema};
         CREATE TABLE ${schema}.shelves (id integer PRIMARY KEY, name text NOT NULL);
         CREATE TABLE ${schema}.books (shelf integer NOT NULL);
         INSERT INTO ${schema}.shelves VALUES (1, 'shelf of ${schema}');
         SELECT capture('${schema}.books', 'shelf', 'SELECT name FROM changed JOIN shelves ON shelves.id = shelf', false)`,
      );
    }
    for (const [schema, other] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      const before = await versionOf('shelf', `shelf of ${other}`);
      await elsewhere(`${other}, public`, `INSERT INTO ${schema}.books VALUES (1)`);
      expect(await versionOf('shelf', `shelf of ${schema}`)).toBeGreaterThan(0n);
      expect(await versionOf('shelf', `shelf of ${other}`)).toBe(before);
    }
  });

  it('of a table whose names are too long to be told apart by their beginnings', async () => {
    const name = (end: string) => `${'x'.repeat(60)}${end}`;
    for (const end of ['_1', '_2'])
      await database.psql.unsafe(`CREATE TABLE ${name(end)} (key text);
        SELECT capture('${name(end)}', 'long', 'SELECT ''${end}'' || key FROM changed', false)`);
    await database.psql.unsafe(`INSERT INTO ${name('_1')} VALUES ('a'); INSERT INTO ${name('_2')} VALUES ('a')`);
    expect(await versionOf('long', '_1a')).toBeGreaterThan(0n);
    expect(await versionOf('long', '_2a')).toBeGreaterThan(0n);
  });
});

it('what a gateway asks for is found whatever its path is', async () => {
  const client = postgres(database.url, { max: 1, connection: { search_path: 'decoy' } });
  try {
    await client`SELECT public.entry_locked('note', ARRAY['a'])`;
    await client`SELECT public.entries_changed()`;
    await client`SELECT public.partitions_close(ARRAY[0], gen_random_uuid())`;
    await client`SELECT public.partition_open(0, 1, 'life', 1)`;
    await client`SELECT public.partition_close(0, 1, 0, false, true, gen_random_uuid())`;
    const [row] = await client`SELECT epoch::int, open FROM public.entry_partition WHERE partition = 0`;
    expect(row).toEqual({ epoch: 2, open: false });
  } finally {
    await client.end();
  }
});

describe('a database from before', () => {
  let folder: string;
  let older: TestDatabase;
  let psql: postgres.Sql;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'espelho-older-'));
    cpSync(FOLDER, folder, { recursive: true });
    const journal = join(folder, 'meta/_journal.json');
    const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8'));
    writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, 12) }));
    older = await createDatabase();
    await older.psql.unsafe('DROP SCHEMA public CASCADE; DROP SCHEMA drizzle CASCADE; CREATE SCHEMA public');
    psql = postgres(older.url, { max: 1, onnotice: () => {} });
    await runMigrations(drizzle(psql), { migrationsFolder: folder });
    await createNotes(older);
    await psql`INSERT INTO notes VALUES ('a', 'old')`;
    await psql.unsafe(`CREATE SCHEMA app; SET search_path = app, public;
      CREATE TABLE shelves (id integer, name text); CREATE TABLE books (shelf integer);
      INSERT INTO shelves VALUES (1, 'first');
      SELECT capture('books', 'shelf', 'SELECT name FROM changed JOIN shelves ON shelves.id = shelf', false);
      RESET search_path`);
  });
  afterAll(async () => {
    await psql.end();
    await older.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes on with its versions, and its captures are bound to their tables', async () => {
    const before = await versionOf('note', 'a', psql);
    await migrate(older.url);
    expect(await versionOf('note', 'a', psql)).toBe(before);
    await psql.unsafe(`SET search_path = nowhere; UPDATE public.notes SET text = 'new';
      INSERT INTO app.books VALUES (1); RESET search_path`);
    expect(await versionOf('note', 'a', psql)).toBeGreaterThan(before);
    expect(await versionOf('shelf', 'first', psql)).toBeGreaterThan(0n);
  });

  it('has one function per capture, and each says where it looks', async () => {
    const captures = await psql`SELECT DISTINCT tgfoid::int AS id FROM pg_trigger WHERE tgname LIKE 'capture\\_%'`;
    const functions = await psql<{ id: number; name: string; path: string | null }[]>`
      SELECT oid::int AS id, proname AS name, (SELECT each FROM unnest(proconfig) AS each WHERE each LIKE 'search_path=%') AS path
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'capture\\_%\\_of\\_%'`;
    expect(functions.length).toBe(captures.length - 1); // all but the one for TRUNCATE
    for (const { id, path } of functions) {
      expect(captures.map((each) => each.id)).toContain(id);
      expect(path).toMatch(/^search_path=.*, pg_temp$/);
    }
  });
});
