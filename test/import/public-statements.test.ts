import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importStatements } from '../../src/resolvers/import/statement-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';
import { berkaFiles, publicFiles, strangers } from './public-statements.js';
import { describeReal, realFile } from './real-data.js';

const pathOf = (file: string) => `statements/${file}`;
const now = () => Date.parse('2026-11-23T12:00:00Z');

describeReal(
  'public statement files',
  publicFiles.map(({ file }) => pathOf(file)),
  () => {
    let database: TestDatabase;
    let connection: Connection;
    beforeAll(async () => {
      database = await createDatabase();
      connection = connect({ url: database.url });
    });
    beforeEach(async () => {
      for (const table of ['transactions', 'business_days', 'accounts'])
        await database.psql.unsafe(`DELETE FROM ${table}`);
    });
    afterAll(async () => {
      await connection.close();
      await database.close();
    });

    /** The accounts of the database as the list says them. */
    async function accounts(): Promise<string[]> {
      const rows = await database.psql`
      SELECT concat_ws(' ', number, currency, entries, '+' || credits, '-' || debits, coalesce(first::text, '-') || '..' ||
        coalesce(last::text, '-'), closed || '/' || open) AS account
      FROM accounts AS a CROSS JOIN LATERAL (
        SELECT coalesce(sum(count), 0) AS entries, coalesce(sum(credits), 0) AS credits, coalesce(sum(debits), 0) AS debits,
          min(date) AS first, max(date) AS last, count(*) FILTER (WHERE status = 'CLOSED') AS closed,
          count(*) FILTER (WHERE status = 'OPEN') AS open
        FROM business_days WHERE account_id = a.id) AS days
      ORDER BY number COLLATE "C"`;
      return rows.map(({ account }) => account);
    }

    it('are all in the list', () => {
      const found = readdirSync(realFile('statements'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'LICENSE')
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(realFile('statements').length + 1));
      const listed = [...publicFiles.map(({ file }) => file), ...strangers.map(([file]) => file), ...berkaFiles];
      expect(listed.sort()).toEqual(found.sort());
    });

    describe.each(publicFiles)('$file', ({ file, accounts: expected, refused }) => {
      it('is imported with every entry exact, or refused with the reason', async () => {
        const dry = await importStatements(connection.db, [realFile(pathOf(file))], { now, dryRun: true });
        expect(await accounts()).toEqual([]);
        const outcome = await importStatements(connection.db, [realFile(pathOf(file))], { now });
        expect(await accounts()).toEqual(expected);
        expect(dry).toEqual(outcome);
        expect(outcome.refused).toBe(refused.reduce((sum, [records]) => sum + records, 0));
        const refusals = outcome.errors.filter(({ reason }) => !reason.endsWith('stays OPEN.'));
        expect(refusals.map(({ reason }) => reason)).toEqual(refused.map(([, part]) => expect.stringContaining(part)));
        const entries = expected.reduce((sum, account) => sum + 1 + Number(account.split(' ')[2]), 0);
        expect(outcome.written).toBe(entries);

        const before = await versionsOf(database);
        const again = await importStatements(connection.db, [realFile(pathOf(file))], { now });
        expect(again).toMatchObject({ written: 0, unchanged: entries, refused: outcome.refused, changed: false });
        expect(await versionsOf(database)).toEqual(before);
      });
    });

    it.each(strangers)('%s is no statement: %s', async (file, reason) => {
      await expect(importStatements(connection.db, [realFile(pathOf(file))])).rejects.toThrow(reason);
    });

    it('have every entry that another reading of OFX and MT940 finds in them, on its day and to the cent', async () => {
      for (const { file, refused } of publicFiles) {
        if (refused.length > 0 || !/^(?:ofx|mt940)/.test(file)) continue;
        await importStatements(connection.db, [realFile(pathOf(file))], { now });
        const stored = await database.psql`SELECT concat_ws(' ', date, minor) AS entry FROM transactions`;
        const text = readFileSync(realFile(pathOf(file)), 'latin1');
        const expected = file.startsWith('ofx') ? ofxEntries(text) : swiftEntries(text);
        expect(stored.map(({ entry }) => entry).sort(), file).toEqual(expected.sort());
        for (const table of ['transactions', 'business_days', 'accounts'])
          await database.psql.unsafe(`DELETE FROM ${table}`);
      }
    });

    it('together are as one by one, and every day adds up', async () => {
      const files = publicFiles.map(({ file }) => realFile(pathOf(file)));
      const outcome = await importStatements(connection.db, files, { now });
      expect(outcome.written).toBeGreaterThan(250);
      const wrong = await database.psql`
      SELECT FROM business_days AS d WHERE opening + credits - debits <> closing OR count <> (SELECT count(*) FROM
        transactions AS t WHERE t.account_id = d.account_id AND t.date = d.date)`;
      expect(wrong).toHaveLength(0);
    });
  },
);

const cents = (text: string) => Math.round(Number(text) * 100);

/** Day and cents of each entry, by one regular expression: the last comma or point before one or two digits is decimal. */
function ofxEntries(text: string): string[] {
  const entries = text.matchAll(/<STMTTRN>.*?<DTPOSTED>(\d{4})(\d\d)(\d\d).*?<TRNAMT>\s*([-\d.,]+)/gs);
  return [...entries].map(([, year, month, day, amount = '']) => {
    const plain = amount
      .replace(/[.,](\d{1,2})$/, '_$1')
      .replaceAll(/[.,]/g, '')
      .replace('_', '.');
    return `${year}-${month}-${day} ${cents(plain)}`;
  });
}

/** The same of :61:, by the entry date where there is one. */
function swiftEntries(text: string): string[] {
  const entries = text.matchAll(/^:61:(\d\d)(\d{4})(\d{4})?(R?)([CD])[A-Z]?(\d+),?(\d*)/gm);
  return [...entries].map(([, year, value = '', entry = value, reversed, mark, whole, fraction = '']) => {
    const sign = (mark === 'D') === (reversed === '') ? -1 : 1;
    return `20${year}-${entry.slice(0, 2)}-${entry.slice(2)} ${sign * cents(`${whole}.${fraction}`)}`;
  });
}
