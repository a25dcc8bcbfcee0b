import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/failure.js';
import { importStatementFiles } from '../../src/cli/import.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { ofxEntry, ofxText } from './statement-text.js';

let database: TestDatabase;
let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
  env = { DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') };
  await writeFile(
    join(folder, 'extrato.ofx'),
    ofxText([ofxEntry('20240304', '1,00', 'a'), ofxEntry('20240305', '1,0', 'b', 'X', 'DEBIT')]),
  );
  await writeFile(join(folder, 'extrato.csv'), 'data;valor\n04/03/2024;1,00\n');
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });

describe('espelho import statements', () => {
  it('finds the format, reports each refused record by line and reason, and imports the rest', async () => {
    const { code, out } = await espelho(env, 'import', 'statements', file('extrato.ofx'), '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        read: 3,
        written: 2,
        unchanged: 0,
        refused: 1,
        errors: [
          { file: file('extrato.ofx'), line: 13, reason: expect.stringContaining('contradict each other') },
          { file: file('extrato.ofx'), line: 12, reason: expect.stringContaining('It stays OPEN.') },
        ],
      },
    ]);
  });

  it('takes account, currency and holder for files that name none', async () => {
    let out = '';
    const terminal = { env, err: sink(), out: (text: string) => (out += text) };
    const options = { account: '77-1', currency: 'BRL', holder: 'ana', json: true } as const;
    expect(await importStatementFiles([file('extrato.csv')], options, terminal)).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ written: 2, refused: 0 });
    const [account] = await database.psql`SELECT holder, currency FROM accounts WHERE number = '77-1'`;
    expect(account).toEqual({ holder: 'ana', currency: 'BRL' });
  });

  it.each([
    [{ account: '77/1' }, '"77/1" is no account number'],
    [{ holder: ' ' }, 'holder has 1 to 200 characters'],
    [{ format: 'pdf' }, 'the formats are: berka, ofx, camt, mt940, csv'],
  ])('is wrongly called with %j', async (options, sentence) => {
    const called = importStatementFiles([file('extrato.csv')], options, { env, err: sink(), out: () => {} });
    await expect(called).rejects.toThrow(sentence);
    await expect(called).rejects.toBeInstanceOf(UsageError);
  });
});
