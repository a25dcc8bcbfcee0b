// The cached tables of a schedule in a real Postgres, and the statements that write and load them.
import { type SQL, sql } from 'drizzle-orm';
import type postgres from 'postgres';
import type { Query } from '../../src/db/connection.js';
import { type LoadedEntry, loadEntries } from '../../src/db/load.js';

export async function createTables(client: postgres.Sql): Promise<void> {
  await client.unsafe(`
    CREATE TABLE notes (key text PRIMARY KEY, number integer NOT NULL);
    CREATE TABLE boards (key text PRIMARY KEY, even integer NOT NULL DEFAULT 0, odd integer NOT NULL DEFAULT 0);
    SELECT capture('notes', 'note', 'SELECT key FROM changed', true);
    SELECT capture('boards', 'board', 'SELECT key FROM changed', true)`);
}

/** As after the migration, under another name. */
export async function emptyTables(client: postgres.Sql, installation: string, partitions: number): Promise<void> {
  await client.unsafe(`DELETE FROM notes; DELETE FROM boards; DELETE FROM entry; DELETE FROM entry_partition;
    DELETE FROM gateway; UPDATE installation SET id = '${installation}', partitions = ${partitions}`);
}

const TABLES: Readonly<Record<string, SQL>> = { note: sql`notes`, board: sql`boards` };

/** The statement of the write of `number`; null deletes the row. */
export function writing(view: string, key: string, number: number | null): SQL {
  const table = TABLES[view] ?? sql``;
  if (number === null) return sql`DELETE FROM ${table} WHERE key = ${key}`;
  const column = view === 'note' ? sql`number` : number % 2 === 0 ? sql`even` : sql`odd`;
  return sql`INSERT INTO ${table} (key, ${column}) VALUES (${key}, ${number})
    ON CONFLICT (key) DO UPDATE SET ${column} = excluded.${column}`;
}

/** What a view of a schedule shows. */
export function loadView(query: Query, view: string, keys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(query, view, keys, view === 'note' ? NOTE : BOARD);
}

const NOTE = sql`SELECT number::text AS value, NULL::text[] AS members FROM notes WHERE key = k.key`;
const BOARD = sql`SELECT '{}' AS value, ARRAY['even', even::text, 'odd', odd::text] AS members FROM boards WHERE key = k.key`;
