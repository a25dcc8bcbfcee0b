// The audit log has a row for every document or file that an import wrote something of, in the same transaction.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importFlags } from '../../src/resolvers/import/flag-import.js';
import { importParameters } from '../../src/resolvers/import/security-parameter-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
});
beforeEach(() => database.psql`DELETE FROM changes`);
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}
const rows = () => database.psql`SELECT actor, action, domain, key, before, after FROM changes ORDER BY sequence`;
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

describe('flags', () => {
  it('one row for each file, under the environment, of the flags that were other', async () => {
    const files = [
      await fileOf('a.json', { flags: { a1: onOff, a2: onOff } }),
      await fileOf('b.json', { flags: { b: onOff } }),
    ];
    await importFlags(connection.db, files, 'audited');
    const row = { actor: 'cli', action: 'importFlags', domain: 'FLAG', key: 'audited', before: null };
    expect(await rows()).toEqual([
      { ...row, after: { file: 'a.json', flags: 2, first: ['a1', 'a2'], made: true } },
      { ...row, after: { file: 'b.json', flags: 1, first: ['b'], made: true } },
    ]);
    const [same] = await database.psql`SELECT count(DISTINCT xmin::text) AS count FROM (
      SELECT xmin FROM changes UNION ALL SELECT xmin FROM flags WHERE environment = 'audited') AS rows`;
    expect(Number(same?.count)).toBe(1);
    await fileOf('a.json', { flags: { a1: onOff, a2: { ...onOff, defaultVariant: 'off' } } });
    await importFlags(connection.db, files, 'audited');
    expect((await rows()).slice(2)).toEqual([
      { ...row, after: { file: 'a.json', flags: 1, first: ['a2'], made: false } },
    ]);
  });

  it('none of a dry run, nor of files that change nothing', async () => {
    const files = [await fileOf('c.json', { flags: { c: onOff } })];
    await importFlags(connection.db, files, 'dry', { dryRun: true });
    expect(await rows()).toEqual([]);
    await importFlags(connection.db, files, 'dry');
    await importFlags(connection.db, files, 'dry');
    expect(await rows()).toHaveLength(1);
  });
});

it('parameters: one row for each document, with what stood before', async () => {
  const file = await fileOf('limit.json', { limit: 1 });
  await importParameters(connection.db, [file], { name: 'limit' });
  await importParameters(connection.db, [file], { name: 'limit' });
  await fileOf('limit.json', { limit: 2 });
  await importParameters(connection.db, [file], { name: 'limit' });
  const row = { actor: 'cli', action: 'importParameter', domain: 'SECURITY_VALUE', key: 'limit' };
  const stood = (limit: number) => ({ parameter: { limit }, schema: null });
  expect(await rows()).toEqual([
    { ...row, before: null, after: stood(1) },
    { ...row, before: stood(1), after: stood(2) },
  ]);
});
