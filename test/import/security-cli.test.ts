import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'cli-security-'));
  env = { DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') };
  await writeFile(join(folder, 'hosts.txt'), '# hosts\na.example\nb.example\n');
  await writeFile(join(folder, '5.5.json'), '{"version": 5.5}');
  await writeFile(join(folder, '5.6.json'), '{"version": 5.6}');
  await writeFile(join(folder, 'broken.json'), '{');
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);

describe('espelho import lists', () => {
  it('makes a list of the name given, and prints the report', async () => {
    const dry = await espelho(env, 'import', 'lists', file('hosts.txt'), '--name', 'hosts', '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^Dry run: nothing was written/)]);
    expect(await database.psql`SELECT FROM security_values`).toHaveLength(0);
    for (const written of [2, 0]) {
      const { code, out, err } = await espelho(env, 'import', 'lists', file('hosts.txt'), '--name', 'hosts', '--json');
      expect([code, err]).toEqual([0, '']);
      expect(JSON.parse(out)).toEqual({ read: 2, written, unchanged: 2 - written, refused: 0, errors: [] });
    }
    expect(await database.psql`SELECT name, kind FROM security_values`).toEqual([{ name: 'hosts', kind: 'LIST' }]);
  });

  it('fails with 1 where another kind of value has the name', async () => {
    await database.psql`INSERT INTO security_values (name, kind, parameter) VALUES ('taken', 'PARAMETER', '1')`;
    const { code, err } = await espelho(env, 'import', 'lists', file('hosts.txt'), '--name', 'taken');
    expect([code, err]).toEqual([1, expect.stringContaining('taken is a PARAMETER')]);
  });
});

describe('espelho import parameters', () => {
  it('makes each file a parameter', async () => {
    const one = await espelho(env, 'import', 'parameters', file('5.6.json'), '--name', 'tls', '--json');
    expect([one.code, JSON.parse(one.out).written]).toEqual([0, 1]);
    const both = [file('5.5.json'), file('5.6.json'), file('broken.json')];
    const { code, out } = await espelho(env, 'import', 'parameters', ...both, '--name', 'tls', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { read: 3, written: 2, refused: 1 }]);
    const rows = await database.psql`SELECT name FROM security_values WHERE name LIKE 'tls%' ORDER BY name COLLATE "C"`;
    expect(rows.map(({ name }) => name)).toEqual(['tls', 'tls/5.5', 'tls/5.6']);
  });

  it('fails with 1 when no document could be taken', async () => {
    const { code, err } = await espelho(env, 'import', 'parameters', file('broken.json'));
    expect([code, err]).toEqual([1, expect.stringContaining('No record could be imported')]);
  });
});

describe('both', () => {
  it.each([
    [['lists', 'x'], "required option '--name <name>' not specified"],
    [['lists', 'x', '--name', 'a b'], 'This is no name'],
    [['lists', 'x', '--name', 'a', '--format', 'xml'], 'the formats are: text, json'],
    [['parameters', 'a b.json'], 'This is no name'],
    [['parameters', 'a/x.json', 'b/x.json'], 'Two of the files would be parameter x'],
  ])('fail with 2 when they are called as %j', async (args, sentence) => {
    const { code, out, err } = await espelho(env, 'import', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });
});
