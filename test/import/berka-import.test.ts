import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importStatements } from '../../src/resolvers/import/statement-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

const folder = 'statements/pkdd99-berka';
const names = ['trans.asc.gz', 'order.asc', 'disp.asc', 'account.asc'].map((name) => `${folder}/${name}`);
const files = names.map(realFile);

/** Against hanging only: forty times what an import takes on two cores. */
const importMs = 240_000;

describeReal('the public Berka files in the database', names, () => {
  let database: TestDatabase;
  let connection: Connection;
  beforeAll(async () => {
    database = await createDatabase();
    connection = connect({ url: database.url });
  });
  afterAll(async () => {
    await connection.close();
    await database.close();
  });

  it(
    'are not there after a dry run, which counts them',
    async () => {
      const outcome = await importStatements(connection.db, files, { dryRun: true });
      expect(outcome).toMatchObject({ read: 53_604, written: 53_602, unchanged: 0, refused: 2 });
      expect(await versionsOf(database)).toMatchObject({ entries: 0 });
    },
    importMs,
  );

  it(
    'are 4,500 accounts and 49,102 transactions in 39,960 days, 37,703 of them CLOSED',
    async () => {
      const outcome = await importStatements(connection.db, files);
      expect(outcome).toMatchObject({ read: 53_604, written: 53_602, unchanged: 0, refused: 2 });
      const notes = outcome.errors.filter(({ reason }) => reason.includes('stays OPEN'));
      expect([outcome.errors.length, notes.length]).toEqual([2_259, 2_257]);
      const [counts] = await database.psql`SELECT (SELECT count(*) FROM accounts)::int AS accounts,
      (SELECT count(*) FROM transactions)::int AS transactions, count(*)::int AS days,
      count(*) FILTER (WHERE status = 'CLOSED')::int AS closed, count(DISTINCT account_id)::int AS moved FROM business_days`;
      expect(counts).toEqual({ accounts: 4500, transactions: 49_102, days: 39_960, closed: 37_703, moved: 1229 });
    },
    importMs,
  );

  it('say what another reading of them says, transaction by transaction', async () => {
    const text = gunzipSync(readFileSync(realFile(`${folder}/trans.asc.gz`))).toString('latin1');
    const rows = text.matchAll(/^(\d+);(\d+);(\d\d)(\d\d)(\d\d);"(\w+)";"[^"]*";([\d.]+);(-?[\d.]+);.*\r$/gm);
    const expected = [...rows].map(
      ([, id, account, yy, mm, dd, type, amount, balance]) =>
        `${account} 19${yy}-${mm}-${dd} ${id} ${cents(amount) * (type === 'PRIJEM' ? 1 : -1)} ${cents(balance)}`,
    );
    const stored = await database.psql`
      SELECT concat_ws(' ', a.number, t.date, t.external_id, t.minor, t.balance) AS line
      FROM transactions AS t JOIN accounts AS a ON a.id = t.account_id`;
    expect(stored.map(({ line }) => line).sort()).toEqual(expected.sort());
  });

  it('add up in every day, and are numbered from 1 without gaps', async () => {
    const wrong = await database.psql`
      SELECT FROM business_days AS d JOIN LATERAL (
        SELECT count(*) AS count, max(position) AS last, sum(minor) AS moved FROM transactions AS t
        WHERE t.account_id = d.account_id AND t.date = d.date) AS sums ON true
      WHERE (d.count, d.count, d.closing - d.opening) IS DISTINCT FROM (sums.count, sums.last, sums.moved)
        OR (d.status = 'CLOSED') <> (d.stated_closing IS NULL)`;
    expect(wrong).toHaveLength(0);
  });

  it(
    'change nothing when they are imported again',
    async () => {
      const before = await versionsOf(database);
      const outcome = await importStatements(connection.db, files);
      expect(outcome).toMatchObject({ read: 53_604, written: 0, unchanged: 53_602, refused: 2, changed: false });
      expect(await versionsOf(database)).toEqual(before);
    },
    importMs,
  );
});

const cents = (decimal = ''): number => Math.round(Number(decimal) * 100);
