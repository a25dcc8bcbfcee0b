import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { espelho } from './terminal.js';

let database: TestDatabase;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
  env = { DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') };
  await writeFile(join(folder, 'shop.pt-BR.txt'), 'a : Á\nb - B\na-1 : Á > C\n');
  await writeFile(join(folder, 'shop.txt'), 'nothing\n');
  await writeFile(join(folder, 'accounts'), 'account_id;district_id;frequency;date\n1;1;"";930101\n');
  await writeFile(join(folder, 'rights'), 'disp_id;client_id;account_id;type\n1;9;1;"OWNER"\n');
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);

describe('espelho import', () => {
  it('prints the report, and nothing else, as JSON', async () => {
    const { code, out, err } = await espelho(env, 'import', 'menus', file('shop.pt-BR.txt'), '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      read: 3,
      written: 2,
      unchanged: 0,
      refused: 1,
      errors: [{ file: file('shop.pt-BR.txt'), line: 2, reason: expect.stringContaining('" : "') }],
    });
  });

  it('prints a readable report too, and says when it was dry', async () => {
    const { code, out } = await espelho(env, 'import', 'menus', file('shop.pt-BR.txt'), '--key', 'other', '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/^Dry run: nothing was written/);
    expect(out).toMatch(/^written +2$/m);
    expect(out).toContain(`${file('shop.pt-BR.txt')}:2  `);
    expect(await database.psql`SELECT FROM menus WHERE key = 'other'`).toHaveLength(0);
  });

  it('takes currency and time zone of statements', async () => {
    const options = ['--format', 'berka', '--currency', 'EUR', '--time-zone', 'UTC', '--json'];
    const { code, out } = await espelho(env, 'import', 'statements', file('accounts'), file('rights'), ...options);
    expect([code, JSON.parse(out).written]).toEqual([0, 1]);
    const [account] = await database.psql`SELECT currency, time_zone FROM accounts`;
    expect(account).toEqual({ currency: 'EUR', time_zone: 'UTC' });
  });

  it('fails with 1 when no record is valid, a file is missing, or its format is unknown', async () => {
    const nothing = await espelho(env, 'import', 'menus', file('shop.txt'), '--json');
    expect([nothing.code, JSON.parse(nothing.out).refused]).toEqual([1, 1]);
    expect(nothing.err).toContain('No record could be imported');
    expect(await espelho(env, 'import', 'menus', file('none'))).toEqual({
      code: 1,
      out: '',
      err: `${file('none')} does not exist; check the path. Nothing was imported.\n`,
    });
    const unknown = await espelho(env, 'import', 'statements', file('shop.txt'));
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('the formats are: berka')]);
  });

  it.each([
    [['menus', 'x', '--locale', '?'], 'is no language tag'],
    [['menus', 'x', '--key', '?'], 'is no key'],
    [['menus', 'x', '--format', 'xml'], 'the formats are: taxonomy'],
    [['menus', 'a/x.txt', 'b/x.txt'], 'Two of the files would be menu x in en'],
    [['menus'], "missing required argument 'file'"],
    [['statements', 'x', '--currency', 'euro'], 'no ISO 4217 currency'],
    [['statements', 'x', '--time-zone', 'Mars'], 'is no time zone'],
    [['statements', 'x', '--dry'], "unknown option '--dry'"],
  ])('fails with 2 when it is called as %j', async (args, sentence) => {
    const { code, out, err } = await espelho(env, 'import', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });

  it('says how to mend a database that cannot be reached or refuses the login, without the password', async () => {
    const away = { DATABASE_URL: 'postgres://me:sesame@127.0.0.1:1/db' };
    const wrong = new URL(database.url);
    wrong.password = 'sesame';
    for (const [url, sentence] of [
      [away.DATABASE_URL, 'Postgres is out of reach'],
      [wrong.href, 'Postgres refused the login'],
    ] as const) {
      const { code, err } = await espelho({ ...env, DATABASE_URL: url }, 'import', 'menus', file('shop.pt-BR.txt'));
      expect([code, err.split('\n').length]).toEqual([1, 2]);
      expect(err).toContain(sentence);
      expect(err).not.toContain('sesame');
    }
  });

  it('lists every fault of the configuration', async () => {
    const { code, err } = await espelho({ DATABASE_URL: 'mysql://x', PORT: 'many' }, 'migrate');
    expect(code).toBe(1);
    expect(err).toContain('DATABASE_URL');
    expect(err).toContain('PORT');
  });
});
