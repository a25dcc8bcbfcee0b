// Views and captures know each other by name alone: what a view shows is captured under its name, and its entries are
// loaded with the version that the capture gave them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { views } from '../../src/resolvers/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
let captures: readonly { view: string; event: string; table: string; name: string }[];
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url, maxReads: 1, maxWrites: 1 });
  const { psql } = database;
  captures = await psql<{ view: string; event: string; table: string; name: string }[]>`
    SELECT split_part(encode(tgargs, 'escape'), '\\000', 1) AS view, tgrelid::regclass::text AS table, tgname AS name,
      CASE WHEN tgtype & 4 > 0 THEN 'insert' WHEN tgtype & 8 > 0 THEN 'delete'
        WHEN tgtype & 16 > 0 THEN 'update' ELSE 'truncate' END AS event
    FROM pg_trigger WHERE tgname LIKE 'capture\\_%'`;
  await psql`
    WITH menu AS (INSERT INTO menus (key, locale, title) VALUES ('m', 'en', 'M') RETURNING id)
    INSERT INTO menu_items (menu_id, key, position, label) SELECT id, 'x', 0, 'X' FROM menu`;
  await psql`INSERT INTO accounts (number, holder, currency, time_zone, opening) VALUES ('1', 'ana', 'BRL', 'UTC', 0)`;
  await psql`
    INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
    SELECT id, '2026-03-02', 1, 'CLOSED', 0, 5, 0, 5, 1 FROM accounts`;
  await psql`
    INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description)
    SELECT id, '2026-03-02', 1, 1, 't', 5, 'T' FROM accounts`;
  await psql`INSERT INTO tokens (digest, name, prefix, subject, scopes) VALUES ('d', 'n', 'esp_x', 'ana', '{}')`;
  await psql`INSERT INTO environments (key, public) VALUES ('e', true)`;
  await psql`INSERT INTO flags (environment, key, enabled, definition) VALUES ('e', 'f', true, '{}')`;
  await psql`INSERT INTO security_values (name, kind, parameter) VALUES ('p', 'PARAMETER', '1')`;
  await psql`INSERT INTO security_values (name, kind) VALUES ('l', 'LIST'), ('s', 'SECRET')`;
  await psql`INSERT INTO security_list_members (name, member) VALUES ('l', 'member')`;
  await psql`
    INSERT INTO secret_versions (name, number, state, ciphertext, wrapped_key, created_by)
    VALUES ('s', 1, 'CURRENT', '\\x01', '\\x01', 'ana')`;
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

describe.each(views.map((view) => ({ view, name: view.name })))('the view $name', ({ view, name }) => {
  it('captures every kind of change of each of its tables', () => {
    const mine = captures.filter((capture) => capture.view === name);
    const tables = [...new Set(mine.map(({ table }) => table))];
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const events = mine.filter((capture) => capture.table === table).map(({ event }) => event);
      expect(events.sort(), table).toEqual(['delete', 'insert', 'truncate', 'update']);
    }
  });

  it('loads its entries with their own versions', async () => {
    const entries = await database.psql<{ key: string; version: string }[]>`
      SELECT key, version::text FROM entry WHERE view = ${name}`;
    expect(entries.length).toBeGreaterThan(0);
    const loaded = await view.load(
      connection.query,
      entries.map(({ key }) => key),
    );
    expect(loaded.map(({ key, version }) => ({ key, version }))).toEqual([...entries]);
    expect(loaded.filter(({ value }) => value === null)).toEqual([]);
  });
});

/** Roots without a cached entry: they order writers and give versions. */
const ROOTS_ONLY = ['flag', 'cache-policy', 'token-subject'];

it('every capture is of a view or a root that exists, and is named after it', () => {
  const names = [...views.map(({ name }) => name), ...ROOTS_ONLY];
  expect(captures.filter(({ view }) => !names.includes(view))).toEqual([]);
  expect(captures.map(({ name }) => name).sort()).toEqual(
    captures.map(({ view, event }) => `capture_${view}_${event}`).sort(),
  );
});
