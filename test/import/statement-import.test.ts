import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importStatements, type StatementImportOptions } from '../../src/resolvers/import/statement-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';

const transHeader = 'trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account';
const trans = (id: number, date: string, amount: string, balance: string, account = 1): string =>
  amount.startsWith('-')
    ? `${id};${account};${date};"VYDAJ";"VYBER";${amount.slice(1)};${balance};"";;`
    : `${id};${account};${date};"PRIJEM";"VKLAD";${amount};${balance};"";;`;
const accountsOf = (holder: number): string[][] => [
  ['account_id;district_id;frequency;date', '1;1;"";930101'],
  ['disp_id;client_id;account_id;type', `1;${holder};1;"OWNER"`],
];

let database: TestDatabase;
let connection: Connection;
let folder: string;
let written = 0;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'statements-'));
});
beforeEach(async () => {
  for (const table of ['transactions', 'business_days', 'accounts']) await database.psql.unsafe(`DELETE FROM ${table}`);
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

async function filesOf(files: string[][]): Promise<string[]> {
  return Promise.all(
    files.map(async (lines) => {
      const file = join(folder, String(written++));
      await writeFile(file, lines.join('\n'));
      return file;
    }),
  );
}

const imported = async (files: string[][], options?: StatementImportOptions) =>
  importStatements(connection.db, await filesOf(files), options);
const transactions = (...rows: string[]) => imported([[transHeader, ...rows]]);

async function days(): Promise<string[]> {
  const rows = await database.psql`
    SELECT concat_ws(' ', d.date, d.status, d.opening, '+', d.credits, '-', d.debits, '=', d.closing, '#', d.count,
      'stated', coalesce(d.stated_closing::text, 'none'), (SELECT string_agg(position || ':' || external_id, ','
        ORDER BY position) FROM transactions t WHERE t.account_id = d.account_id AND t.date = d.date)) AS day
    FROM business_days AS d ORDER BY d.date`;
  return rows.map(({ day }) => day);
}

describe('imported accounts', () => {
  it('have their owner, currency and the time zone of the bank, and stay unchanged', async () => {
    expect(await imported(accountsOf(9))).toMatchObject({ read: 1, written: 1 });
    const [account] = await database.psql`SELECT number, holder, currency, time_zone, opening FROM accounts`;
    const prague = { number: '1', holder: '9', currency: 'CZK', time_zone: 'Europe/Prague', opening: '0' };
    expect(account).toEqual(prague);
    expect(await imported(accountsOf(9))).toMatchObject({ unchanged: 1, changed: false });
  });

  it.each([
    ['another holder', 8, {}, 'its holder is 9, not 8'],
    ['another currency', 9, { currency: 'EUR' }, 'its currency is CZK, not EUR'],
    ['another time zone', 9, { timeZone: 'UTC' }, 'its time zone is Europe/Prague, not UTC'],
  ])('with %s are refused, and their days with them', async (_, holder, options, reason) => {
    await imported(accountsOf(9));
    const before = await versionsOf(database);
    const files = [...accountsOf(holder), [transHeader, trans(1, '930101', '1.00', '1.00')]];
    const outcome = await imported(files, options);
    expect(outcome).toMatchObject({ read: 2, refused: 2, changed: false });
    expect(outcome.errors[0]?.reason).toContain(reason);
    expect(await versionsOf(database)).toEqual(before);
  });
});

describe('imported days', () => {
  beforeEach(() => imported(accountsOf(9)));

  it('are closed or open as they add up, and again unchanged', async () => {
    const rows = [
      trans(1, '930101', '10.00', '10.00'),
      trans(2, '930102', '5.00', '14.90'),
      trans(3, '930103', '-1.00', '13.90'),
    ];
    const outcome = await transactions(...rows);
    expect(outcome).toMatchObject({ read: 3, written: 3, refused: 0 });
    expect(outcome.errors).toMatchObject([
      { line: 3, reason: expect.stringMatching(/^Account 1, 1993-01-02: .*OPEN/) },
    ]);
    const expected = [
      '1993-01-01 CLOSED 0 + 1000 - 0 = 1000 # 1 stated none 1:1',
      '1993-01-02 OPEN 1000 + 500 - 0 = 1500 # 1 stated 1490 1:2',
      '1993-01-03 CLOSED 1490 + 0 - 100 = 1390 # 1 stated none 1:3',
    ];
    expect(await days()).toEqual(expected);
    const before = await versionsOf(database);
    expect(await transactions(...rows)).toMatchObject({ unchanged: 3, changed: false, errors: [{ line: 3 }] });
    expect(await days()).toEqual(expected);
    expect(await versionsOf(database)).toEqual(before);
  });

  it('open with what the day before closed with, as the bank states it', async () => {
    await transactions(trans(1, '930101', '10.00', '9.90'));
    await transactions(trans(2, '930105', '1.00', '10.90'));
    expect((await days())[1]).toBe('1993-01-05 CLOSED 990 + 100 - 0 = 1090 # 1 stated none 1:2');
  });

  it('never change once they are closed', async () => {
    await transactions(trans(1, '930101', '10.00', '10.00'));
    const before = [await days(), await versionsOf(database)];
    const more = await transactions(trans(1, '930101', '10.00', '10.00'), trans(2, '930101', '1.00', '11.00'));
    const other = await transactions(trans(1, '930101', '12.00', '12.00'));
    const less = await transactions(trans(2, '930101', '10.00', '10.00'));
    for (const [outcome, records] of [
      [more, 2],
      [other, 1],
      [less, 1],
    ] as const) {
      expect(outcome).toMatchObject({ refused: records, written: 0, unchanged: 0, changed: false });
      expect(outcome.errors[0]?.reason).toContain('is closed and cannot change');
    }
    expect([await days(), await versionsOf(database)]).toEqual(before);
  });

  it('that are open take new transactions and close when they add up', async () => {
    await transactions(trans(1, '930101', '10.00', '11.00'), trans(2, '930101', '-2.00', '9.00'));
    expect((await days())[0]).toContain('OPEN 0 + 1000 - 200 = 800 # 2');
    const outcome = await transactions(trans(2, '930101', '-2.00', '9.00'), trans(3, '930101', '1.00', '11.00'));
    expect(outcome).toMatchObject({ written: 1, unchanged: 1, refused: 0 });
    expect(await days()).toEqual(['1993-01-01 CLOSED 0 + 1100 - 200 = 900 # 3 stated none 1:1,2:2,3:3']);
  });

  it('that are open are refused whole when a transaction is another than before', async () => {
    await transactions(trans(1, '930101', '10.00', '11.00'));
    const before = await versionsOf(database);
    const outcome = await transactions(trans(1, '930101', '9.00', '11.00'), trans(2, '930101', '1.00', '11.00'));
    expect(outcome).toMatchObject({
      refused: 2,
      written: 0,
      errors: [{ reason: expect.stringContaining('other content') }],
    });
    expect(await versionsOf(database)).toEqual(before);
  });

  it('are refused when one of their transactions is booked on another date', async () => {
    await transactions(trans(1, '930101', '10.00', '10.00'));
    const outcome = await transactions(trans(1, '930102', '10.00', '20.00'));
    expect(outcome.errors[0]?.reason).toContain('Transaction 1 is booked on 1993-01-01 already');
    expect(await days()).toHaveLength(1);
  });

  it('stay open while they lack a refused row, even if the rest adds up, and close when it comes', async () => {
    const bad = trans(2, '930101', '1.005', '11.00');
    const first = await transactions(trans(1, '930101', '10.00', '10.00'), bad);
    expect(first).toMatchObject({ written: 1, refused: 1 });
    expect(first.errors.at(-1)?.reason).toContain('may lack rows from line 3 on');
    expect((await days())[0]).toContain('OPEN 0 + 1000');
    const before = await versionsOf(database);
    await transactions(trans(1, '930101', '10.00', '10.00'), bad);
    expect(await versionsOf(database)).toEqual(before);
    await transactions(trans(1, '930101', '10.00', '10.00'), bad.replace('1.005', '1.00'));
    expect(await days()).toEqual(['1993-01-01 CLOSED 0 + 1100 - 0 = 1100 # 2 stated none 1:1,2:2']);
  });

  it('that opened too low close once the days before them are imported', async () => {
    const early = trans(1, '930101', '10.00', '10.00');
    const late = trans(2, '930102', '1.00', '11.00');
    await transactions(late);
    expect((await days())[0]).toContain('OPEN 0 + 100 - 0 = 100 # 1 stated 1100');
    expect(await transactions(early, late)).toMatchObject({ written: 1, unchanged: 1 });
    expect((await days())[1]).toBe('1993-01-02 CLOSED 1000 + 100 - 0 = 1100 # 1 stated none 1:2');
  });

  it("are refused in a currency that is not the account's", async () => {
    const outcome = await imported([[transHeader, trans(1, '930101', '1.00', '1.00')]], { currency: 'EUR' });
    expect(outcome.errors[0]?.reason).toContain('The account is in CZK, the file in EUR');
  });

  it('are written whole or not at all when the database refuses a batch', async () => {
    await database.psql`ALTER TABLE transactions ADD CONSTRAINT small CHECK (minor < 100000)`;
    try {
      const failing = transactions(trans(1, '930101', '1.00', '1.00'), trans(2, '930101', '5000.00', '5001.00'));
      await expect(failing).rejects.toThrow('Postgres refused a statement (SQLSTATE 23514, constraint small).');
    } finally {
      await database.psql`ALTER TABLE transactions DROP CONSTRAINT small`;
    }
    expect(await days()).toEqual([]);
  });

  it('are not written by a dry run, new accounts included', async () => {
    await database.psql`DELETE FROM accounts`;
    const before = await versionsOf(database);
    const files = [...accountsOf(9), [transHeader, trans(1, '930101', '1.00', '1.00')]];
    expect(await imported(files, { dryRun: true })).toMatchObject({ read: 2, written: 2, refused: 0 });
    expect(await versionsOf(database)).toEqual(before);
    expect(await days()).toEqual([]);
  });
});

describe('files of statements', () => {
  it('of no known format fail the import, or are refused beside others', async () => {
    await expect(imported([['hello']])).rejects.toThrow(/known format; the formats are: berka/);
    const outcome = await imported([...accountsOf(9), ['hello'], []]);
    expect(outcome).toMatchObject({ read: 3, written: 1, refused: 2 });
  });

  it('that cannot be opened fail the import before anything is written', async () => {
    const files = [...(await filesOf(accountsOf(9))), join(folder, 'missing')];
    await expect(importStatements(connection.db, files)).rejects.toThrow(/missing does not exist/);
    expect(await database.psql`SELECT FROM accounts`).toHaveLength(0);
  });
});
