// A sixth domain, made of nothing but its tables, its captures and its views: what the engine needs to know of any.
import { sql } from 'drizzle-orm';
import type { ListView, TextView } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';
import { loadEntries } from '../../src/db/load.js';
import type { TestDatabase } from './database.js';

const HOUR_MS = 3_600_000;

/** Creates the tables `notes (key, text)` and `note_lines (note, position, text)` and captures their changes. */
export async function createNotes({ psql }: TestDatabase): Promise<void> {
  await psql.unsafe(`
    CREATE TABLE notes (key text PRIMARY KEY, text text NOT NULL);
    CREATE TABLE note_lines (note text NOT NULL REFERENCES notes ON UPDATE CASCADE ON DELETE CASCADE,
      position integer NOT NULL, text text NOT NULL, PRIMARY KEY (note, position));
    SELECT capture('notes', 'note', 'SELECT key FROM changed', true);
    SELECT capture('notes', 'board', 'SELECT key FROM changed', true);
    SELECT capture('note_lines', 'note-lines', 'SELECT note FROM changed', false)`);
}

/** A note's text; strict. */
export const noteView: TextView<Query, string> = {
  name: 'note',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: HOUR_MS,
  absentTtlMs: 10_000,
  load: (query, keys) => loadEntries(query, 'note', keys, NOTE),
  decode: (json) => String(JSON.parse(json)),
};

/** The same text; available. */
export const boardView: TextView<Query, string> = {
  name: 'board',
  format: 1,
  shape: 'text',
  mode: 'available',
  ttlMs: HOUR_MS,
  load: (query, keys) => loadEntries(query, 'board', keys, NOTE),
  decode: (json) => String(JSON.parse(json)),
};

/** A note's lines, in order; absent where there are none. */
export const linesView: ListView<Query, string> = {
  name: 'note-lines',
  format: 1,
  shape: 'list',
  mode: 'strict',
  ttlMs: HOUR_MS,
  load: (query, keys) => loadEntries(query, 'note-lines', keys, LINES),
  decodeMember: (json) => String(JSON.parse(json)),
};

const NOTE = sql`SELECT to_json(text)::text AS value, NULL::text[] AS members FROM notes WHERE key = k.key`;
const LINES = sql`SELECT '{}' AS value, array_agg(to_json(text)::text ORDER BY position) AS members
  FROM note_lines WHERE note = k.key HAVING count(*) > 0`;
