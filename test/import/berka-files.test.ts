import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BerkaOptions, readBerka } from '../../src/resolvers/import/berka.js';
import type { StatementRecord } from '../../src/resolvers/import/statement-record.js';
import { collected } from './real-data.js';

const accountHeader = '"account_id";"district_id";"frequency";"date"';
const dispHeader = '"disp_id";"client_id";"account_id";"type"';
const transHeader = '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"';
const trans = (id: number, date: string, amount: string, balance: string, account = 1): string =>
  amount.startsWith('-')
    ? `${id};${account};${date};"VYDAJ";"VYBER";${amount.slice(1)};${balance};"";;`
    : `${id};${account};${date};"PRIJEM";"VKLAD";${amount};${balance};"";;`;

let folder: string;
let written: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berka-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  written = 0;
});

/** Reads files of these lines; their names, `0` and so on, say nothing of what they hold. */
async function read(files: string[][], options: BerkaOptions = {}): Promise<StatementRecord[]> {
  const names = await Promise.all(
    files.map(async (lines) => {
      const name = join(folder, String(written++));
      await writeFile(name, lines.join('\r\n'));
      return name;
    }),
  );
  const records = await collected(readBerka(names, options));
  return records.map((record) => ({ ...record, file: basename(record.file) }));
}

const days = (records: StatementRecord[]) => records.flatMap((record) => (record.kind === 'day' ? record : []));
const refusals = (records: StatementRecord[]) =>
  records.flatMap((record) => (record.kind === 'refused' ? `${record.file}:${record.line} ${record.reason}` : []));
const known: BerkaOptions = { knownAccounts: () => true };

describe('Berka accounts', () => {
  it('have the client of type OWNER as holder, in whatever order the files come', async () => {
    const records = await read([
      [transHeader, trans(1, '930105', '1.00', '1.00', 7)],
      [accountHeader, '7;55;"POPLATEK MESICNE";930101'],
      [dispHeader, '1;10;7;"DISPONENT"', '2;20;7;"OWNER"'],
    ]);
    expect(records[0]).toEqual({
      kind: 'account',
      file: '1',
      line: 2,
      number: '7',
      holder: '20',
      currency: 'CZK',
      opening: 0n,
    });
    expect(days(records)).toMatchObject([{ account: '7', status: 'CLOSED' }]);
    expect(refusals(records)).toEqual([]);
  });

  it('are refused without an owner, a second time, or with a wrong row', async () => {
    const records = await read([
      [dispHeader, '1;10;7;"OWNER"', '2;11;7;"OWNER"', '3;12;9;"HEIR"', '4;x;9;"OWNER"'],
      [accountHeader, '7;55;"";930101', '8;55;"";930101', '7;55;"";930101', '9;55;"";930230', '9;55', ''],
    ]);
    expect(records.filter(({ kind }) => kind === 'account')).toHaveLength(1);
    expect(refusals(records)).toEqual([
      '0:3 Account 7 has its OWNER already, client 10; it can have one.',
      '0:4 The type "HEIR" is unknown; it is OWNER or DISPONENT.',
      '0:5 The client_id "x" is not a whole number of at most 15 digits.',
      '1:3 Account 8 has no OWNER in disp.asc; every account needs a holder.',
      '1:4 Account 7 is listed already; numbers are unique.',
      '1:5 The date "930230" is not a day of the calendar written as YYMMDD.',
      '1:6 The row has 2 fields where account.asc has 4; it was cut off or damaged.',
    ]);
  });

  it('need both of their files', async () => {
    expect(refusals(await read([[accountHeader, '7;55;"";930101']]))).toEqual([expect.stringContaining('disp.asc')]);
    expect(refusals(await read([[dispHeader, '1;1;7;"OWNER"']]))).toEqual([expect.stringContaining('account.asc')]);
  });
});

describe('Berka files', () => {
  it('are refused as a whole when they have no place, no known header or no content', async () => {
    const records = await read([
      ['"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"', '1;1;"YZ";"8";2.00;"SIPO"'],
      ['hello', 'world'],
      [],
    ]);
    expect(refusals(records)).toEqual([
      '0:1 The file lists standing orders, which have no place among accounts and statements; leave it out.',
      '1:1 The first line is not the header of account.asc, disp.asc or trans.asc; check the file and its format.',
      '2:0 The file is empty; check that it was fetched whole.',
    ]);
  });

  it('that cannot be opened do not hold up the others', async () => {
    const file = join(folder, 'compressed');
    await writeFile(file, gzipSync(`${transHeader}\n${trans(1, '930101', '1.00', '1.00')}`));
    const records = await collected(readBerka([join(folder, 'missing'), file], known));
    expect(records.map(({ kind }) => kind)).toEqual(['refused', 'day']);
  });

  it('of transactions are read by their dates and continue one another, a day across two files included', async () => {
    const records = await read(
      [
        [transHeader, trans(3, '930102', '-1.00', '6.00'), trans(4, '930103', '1.00', '7.00')],
        [transHeader, trans(1, '930101', '5.00', '5.00'), trans(2, '930102', '2.00', '7.00')],
      ],
      known,
    );
    expect(days(records).map(({ date, status, closing }) => [date, status, closing])).toEqual([
      ['1993-01-01', 'CLOSED', 500n],
      ['1993-01-02', 'CLOSED', 600n],
      ['1993-01-03', 'CLOSED', 700n],
    ]);
  });
});

describe('Berka days', () => {
  it('carry the codes of the bank as kind and description', async () => {
    const row = (id: number, codes: string, symbol: string) => `${id};1;930101;${codes};1.00;0.00;${symbol};"YZ";"1"`;
    const records = await read(
      [
        [
          transHeader,
          row(1, '"VYDAJ";"PREVOD NA UCET"', '"SIPO"'),
          row(2, '"PRIJEM";""', '"UROK"'),
          row(3, '"VYBER";"VYBER"', '" "'),
          row(4, '"PRIJEM";', ''),
        ],
      ],
      known,
    );
    expect(days(records)[0]?.transactions.map(({ kind, description, minor }) => [kind, description, minor])).toEqual([
      ['VYDAJ/PREVOD NA UCET', 'PREVOD NA UCET: SIPO', -100n],
      ['PRIJEM', 'UROK', 100n],
      ['VYBER/VYBER', 'VYBER', -100n],
      ['PRIJEM', 'PRIJEM', 100n],
    ]);
  });

  it('close when one of their listed balances is the sum, in whatever order the rows stand', async () => {
    const rows = [trans(1, '930101', '-2.00', '8.00'), trans(2, '930101', '10.00', '10.00')];
    const [day] = days(await read([[transHeader, ...rows]], known));
    expect(day).toMatchObject({ status: 'CLOSED', opening: 0n, credits: 1000n, debits: 200n, closing: 800n });
    expect(day).toMatchObject({ statedClosing: 800n, line: 2, account: '1' });
    expect(day?.transactions.map(({ externalId, line }) => [externalId, line])).toEqual([
      ['1', 2],
      ['2', 3],
    ]);
  });

  it('stay OPEN when they do not add up, and the next day opens with the nearest balance listed', async () => {
    const records = await read(
      [
        [
          transHeader,
          trans(1, '930101', '10.00', '10.10'),
          trans(2, '930101', '5.00', '99.00'),
          trans(3, '930101', '5.00', '20.10'),
          trans(4, '930102', '1.00', '21.10'),
        ],
      ],
      known,
    );
    expect(days(records)).toMatchObject([
      {
        status: 'OPEN',
        closing: 2000n,
        statedClosing: 2010n,
        reason: 'The day adds up to 20.00, but the nearest balance that it lists is 20.10; it stays OPEN.',
      },
      { status: 'CLOSED', opening: 2010n, closing: 2110n },
    ]);
  });

  it('take the later in the file of two balances equally near', async () => {
    const rows = [trans(1, '930101', '5.00', '9.00'), trans(2, '930101', '5.00', '11.00')];
    expect(days(await read([[transHeader, ...rows]], known))).toMatchObject([{ closing: 1000n, statedClosing: 1100n }]);
  });

  it('open with what the database says of the account, asked once per account', async () => {
    const asked: string[] = [];
    const records = await read(
      [[transHeader, trans(1, '930105', '1.00', '6.00'), trans(2, '930106', '1.00', '7.00')]],
      {
        ...known,
        openingOf: async (number, date) => {
          asked.push(`${number} ${date}`);
          return 500n;
        },
      },
    );
    expect(days(records).map(({ opening, status }) => [opening, status])).toEqual([
      [500n, 'CLOSED'],
      [600n, 'CLOSED'],
    ]);
    expect(asked).toEqual(['1 1993-01-05']);
  });

  it('are made only for accounts that the files or the database have', async () => {
    const asked: string[] = [];
    const rows = [1, 2, 3].map((id) => trans(id, '930101', '1.00', '1.00', id % 2));
    const records = await read([[transHeader, ...rows]], {
      knownAccounts: async (number) => {
        asked.push(number);
        return number === '0';
      },
    });
    expect(days(records)).toMatchObject([{ account: '0' }]);
    expect(refusals(records)).toEqual([2, 4].map((line) => expect.stringMatching(`^0:${line} Account 1 is unknown`)));
    expect(asked).toEqual(['1', '0']);
  });

  it('lack rows that repeat an id, go back in time, or cannot be read, each refused by line', async () => {
    const good = trans(1, '930102', '1.00', '1.00');
    const records = await read(
      [
        [
          transHeader,
          good,
          good,
          trans(2, '930101', '1.00', '1.00'),
          trans(3, '930102', '1.005', '1.00'),
          trans(4, '931301', '1.00', '1.00'),
          good.replace('PRIJEM', 'DEPOSIT').replace('1;', '5;'),
          good.replace('1;', '6;').replace(';1.00;', ';-1.00;'),
          '7;1;930103;"PRIJE',
        ],
      ],
      known,
    );
    expect(days(records).map(({ transactions }) => transactions.length)).toEqual([1]);
    expect(refusals(records)).toEqual([
      '0:3 The trans_id 1 stands on a row above already; ids are unique.',
      '0:4 The row is of 1993-01-01, but account 1 is at 1993-01-02 by now; sort the rows by date and import the file again.',
      '0:5 "1.005" has more than the 2 decimals of CZK; amounts are not rounded.',
      '0:6 The date "931301" is not a day of the calendar written as YYMMDD.',
      '0:7 The type "DEPOSIT" is unknown; it is PRIJEM, VYDAJ or VYBER.',
      '0:8 The amount -1.00 is negative; its type alone says the direction.',
      '0:9 The row ends or breaks inside a quoted field; it was cut off or damaged.',
    ]);
  });

  it('never come without a transaction, even when the first row of an account repeats an id', async () => {
    const rows = [trans(1, '930101', '1.00', '1.00', 1), trans(1, '930101', '1.00', '1.00', 2)];
    expect(days(await read([[transHeader, ...rows]], known)).map(({ account }) => account)).toEqual(['1']);
  });

  it('are in the currency asked for, and an unknown one stops the reading', async () => {
    const row = trans(1, '930101', '1.5', '1.5');
    expect(days(await read([[transHeader, row]], { ...known, currency: 'KWD' }))).toMatchObject([{ closing: 1500n }]);
    const yen = await read([[transHeader, row]], { ...known, currency: 'JPY' });
    expect(refusals(yen)).toEqual(['1:2 "1.5" has more than the 0 decimals of JPY; amounts are not rounded.']);
    await expect(read([[transHeader, row]], { currency: 'QQQ' })).rejects.toThrow(/no ISO 4217 currency/);
  });
});
