import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importStatements, type StatementImportOptions } from '../../src/resolvers/import/statement-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';
import { ofxEntry as entry, ofxText } from './statement-text.js';

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

const now = () => Date.parse('2024-05-01T12:00:00Z');

async function imported(texts: readonly string[], options: StatementImportOptions = {}) {
  const files = await Promise.all(
    texts.map(async (text) => {
      const file = join(folder, String(written++));
      await writeFile(file, text);
      return file;
    }),
  );
  return importStatements(connection.db, files, { now, ...options });
}

async function days(): Promise<string[]> {
  const rows = await database.psql`
    SELECT concat_ws(' ', d.date, d.status, d.opening, '->', d.closing, '#' || d.count) AS day
    FROM business_days AS d ORDER BY d.date`;
  return rows.map(({ day }) => day);
}

const mt940 = (entries: readonly string[], opening: string, closing: string) =>
  [':20:X', ':25:12345-6', ':28C:1', `:60F:${opening}`, ...entries, `:62F:${closing}`, '-'].join('\n');
const march = mt940([':61:2403050305C5,00NTRFX'], 'C240304EUR100,00', 'C240305EUR105,00');

describe('statement files in the database', () => {
  it('open an account that nobody reads until its holder is known, or for the holder named', async () => {
    await imported([march]);
    const accounts = () => database.psql`SELECT number, holder, currency, time_zone, opening::text FROM accounts`;
    const account = {
      number: '12345-6',
      holder: '12345-6',
      currency: 'EUR',
      time_zone: 'Europe/Berlin',
      opening: '10000',
    };
    expect([...(await accounts())]).toEqual([account]);
    await database.psql`DELETE FROM transactions`;
    await database.psql`DELETE FROM business_days`;
    await database.psql`DELETE FROM accounts`;
    await imported([march], { holder: 'ana', timeZone: 'Europe/Lisbon' });
    expect([...(await accounts())]).toEqual([{ ...account, holder: 'ana', time_zone: 'Europe/Lisbon' }]);
    expect(await imported([march])).toMatchObject({ unchanged: 2, changed: false });
    const other = await imported([march], { holder: 'bea' });
    expect(other).toMatchObject({ refused: 2, changed: false });
    expect(other.errors[0]?.reason).toContain('its holder is ana, not bea');
  });

  it('of a longer range go on where a shorter one ended, and close the day that it left open', async () => {
    const range = (to: string, balance: string, entries: readonly string[]) =>
      ofxText(entries, { range: ['20240301', to], balance: [balance, to], madeAt: to });
    const first = [entry('20240304', '1,00', 'a'), entry('20240305', '2,00', 'b')];
    await imported([range('20240305', '103,00', first)]);
    expect(await days()).toEqual(['2024-03-04 CLOSED 10000 -> 10100 #1', '2024-03-05 OPEN 10100 -> 10300 #1']);
    const more = [...first, entry('20240305', '4,00', 'c'), entry('20240306', '8,00', 'd')];
    const outcome = await imported([range('20240307', '115,00', more)]);
    expect(outcome).toMatchObject({ written: 2, unchanged: 3, refused: 0, errors: [] });
    const whole = [
      '2024-03-04 CLOSED 10000 -> 10100 #1',
      '2024-03-05 CLOSED 10100 -> 10700 #2',
      '2024-03-06 CLOSED 10700 -> 11500 #1',
    ];
    expect(await days()).toEqual(whole);
    const before = await versionsOf(database);
    expect(await imported([range('20240307', '115,00', more), range('20240305', '103,00', first)])).toMatchObject({
      written: 0,
    });
    expect([await days(), await versionsOf(database)]).toEqual([whole, before]);
  });

  it('that contradict a closed day are refused, whatever they say of others', async () => {
    await imported([march]);
    const other = mt940(
      [':61:2403050305C6,00NTRFX', ':61:2403060306C1,00NTRFY'],
      'C240304EUR100,00',
      'C240306EUR107,00',
    );
    const outcome = await imported([other]);
    expect(outcome).toMatchObject({ refused: 1, written: 1 });
    expect(outcome.errors[0]?.reason).toContain('2024-03-05: The day is closed and cannot change');
  });

  it('that leave a gap to the day before are imported, and the report says so', async () => {
    const april = mt940([':61:2404020402C1,00NTRFX'], 'C240401EUR200,00', 'C240402EUR201,00');
    for (const texts of [[march, april], [april]]) {
      const outcome = await imported(texts);
      if (texts.length === 1) expect(outcome).toMatchObject({ changed: false, errors: [] });
      else {
        expect(outcome.errors.map(({ reason }) => reason)).toEqual([
          "Account 12345-6, 2024-04-02: The day opens with 200.00, but 2024-03-05, the account's last day before it, closed with 105.00; a statement between them may be missing.",
        ]);
      }
    }
    expect(await days()).toEqual(['2024-03-05 CLOSED 10000 -> 10500 #1', '2024-04-02 CLOSED 20000 -> 20100 #1']);
  });

  it('without any balance open with what the day before closed with, though it is in the same import', async () => {
    const csv = 'conta;data;valor;moeda\n12345-6;06/03/2024;7,00;EUR';
    const outcome = await imported([march, csv]);
    expect(outcome.errors.map(({ reason }) => reason)).toEqual([expect.stringContaining('It stays OPEN')]);
    expect(await days()).toEqual(['2024-03-05 CLOSED 10000 -> 10500 #1', '2024-03-06 OPEN 10500 -> 11200 #1']);
  });

  it('with a balance outside their range open with what the day before closed with, where there is one', async () => {
    const later = ofxText([entry('20240306', '7,00', 'a')], { currency: 'EUR', balance: ['999,00', '20240415'] });
    await imported([later]);
    expect(await days()).toEqual(['2024-03-06 OPEN 99200 -> 99900 #1']);
    await imported([march, later]);
    expect(await days()).toEqual(['2024-03-05 CLOSED 10000 -> 10500 #1', '2024-03-06 OPEN 10500 -> 11200 #1']);
  });

  it('go on from the day before up to the range, and in it from their balance', async () => {
    const entries = [entry('20240306', '7,00', 'a'), entry('20240320', '1,00', 'b')];
    const text = ofxText(entries, {
      currency: 'EUR',
      range: ['20240315', '20240331'],
      balance: ['120,00', '20240331'],
    });
    await imported([march, text]);
    expect((await days()).slice(1)).toEqual([
      '2024-03-06 OPEN 10500 -> 11200 #1',
      '2024-03-20 CLOSED 11900 -> 12000 #1',
    ]);
  });

  it('of one day may stand from the last to the first', async () => {
    const first = mt940([':61:2403050305C5,00NTRFX'], 'C240305EUR100,00', 'C240305EUR105,00');
    const second = mt940([':61:2403050305D6,00NTRFY'], 'C240305EUR105,00', 'C240305EUR99,00');
    await imported([`${second}\n${first}`]);
    expect(await days()).toEqual(['2024-03-05 CLOSED 10000 -> 9900 #2']);
  });

  it('of today leave the day OPEN, and close it when it is over', async () => {
    const today = mt940([':61:2405010501C5,00NTRFX'], 'C240430EUR100,00', 'C240501EUR105,00');
    await imported([today]);
    expect(await days()).toEqual(['2024-05-01 OPEN 10000 -> 10500 #1']);
    await imported([today], { now: () => now() + 86_400_000 });
    expect(await days()).toEqual(['2024-05-01 CLOSED 10000 -> 10500 #1']);
  });

  it('take moments for days of the account that stands, not of the format', async () => {
    const text = ofxText([entry('20240304020000[0:GMT]', '1,00', 'a')]);
    await imported([text], { timeZone: 'Asia/Tokyo' });
    await imported([text]);
    expect((await days()).map((day) => day.slice(0, 10))).toEqual(['2024-03-04']);
  });

  it('take a format by name, and are refused in a sentence where they are of another', async () => {
    expect((await imported([march], { format: 'ofx' })).errors[0]?.reason).toContain(
      'breaks off before its end (</OFX>)',
    );
    expect((await imported([march], { format: 'camt' })).errors[0]?.reason).toContain('no XML');
    expect((await imported([march], { format: 'csv' })).errors[0]?.reason).toContain(
      'columns for a date and an amount',
    );
    expect((await imported([ofxText([])], { format: 'mt940' })).errors[0]?.reason).toContain('no field of an MT940');
    await expect(imported([march], { format: 'xls' })).rejects.toThrow(
      'the formats are: berka, ofx, camt, mt940, csv.',
    );
    await expect(imported(['%PDF-1.4'])).rejects.toThrow('The file is a PDF');
  });

  it('import 20,000 entries of a month in batches, each day whole', async () => {
    const entries = Array.from(
      { length: 20_000 },
      (_, at) => `:61:2403${String((at % 30) + 1).padStart(2, '0')}C1,00NTRFR${at}`,
    );
    const text = mt940(entries, 'C240229EUR0,00', 'C240331EUR20000,00');
    expect(await imported([text])).toMatchObject({ written: 20_001, refused: 0 });
    expect(new Set((await days()).map((day) => day.slice(11, 17)))).toEqual(new Set(['CLOSED']));
    expect(await imported([text])).toMatchObject({ unchanged: 20_001, changed: false });
  });
});
