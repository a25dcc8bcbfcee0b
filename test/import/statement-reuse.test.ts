// Ids that come again in later files, days that were restated, and what the audit log says of imports.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { importStatements, type StatementImportOptions } from '../../src/resolvers/import/statement-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'statements-'));
});
beforeEach(async () => {
  for (const table of ['transactions', 'business_days', 'accounts', 'changes'])
    await database.psql.unsafe(`DELETE FROM ${table}`);
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

type Entry = readonly [id: string, date: string, amount: string, memo: string];

/** An OFX file of one account; it does not say when it was made, so that its days stay open. */
const ofx = (balance: string, from: string, to: string, ...entries: readonly Entry[]) => `OFXHEADER:100
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>BRL<BANKACCTFROM><BANKID>1<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>${from}<DTEND>${to}
${entries.map(([id, date, amount, memo]) => `<STMTTRN><TRNTYPE>OTHER<DTPOSTED>${date}<TRNAMT>${amount}<FITID>${id}<MEMO>${memo}</STMTTRN>`).join('\n')}
</BANKTRANLIST><LEDGERBAL><BALAMT>${balance}<DTASOF>${to}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`;

async function imported(name: string, text: string, options: StatementImportOptions = {}) {
  const file = join(folder, name);
  await writeFile(file, text);
  return importStatements(connection.db, [file], options);
}

async function days(): Promise<string[]> {
  const rows = await database.psql`
    SELECT concat_ws(' ', d.date, d.revision, d.status, d.closing, (SELECT string_agg(external_id || '=' || minor, ','
        ORDER BY position) FROM transactions t
        WHERE t.account_id = d.account_id AND t.date = d.date AND t.revision = d.revision)) AS day
    FROM business_days AS d ORDER BY d.date, d.revision`;
  return rows.map(({ day }) => day);
}

const january = ofx('10.00', '20260105', '20260105', ['1', '20260105', '10.00', 'rent']);
const february = ofx('7.00', '20260205', '20260205', ['1', '20260205', '-3.00', 'fee']);

describe('an id that comes again in a later file', () => {
  it('with other content is another transaction: it adds its date, and importing both again changes nothing', async () => {
    await imported('january', january);
    expect(await imported('february', february)).toMatchObject({ written: 1, refused: 0 });
    const standing = ['2026-01-05 1 OPEN 1000 1=1000', '2026-02-05 1 OPEN 700 1@2026-02-05=-300'];
    expect(await days()).toEqual(standing);
    expect(await imported('february', february)).toMatchObject({ written: 0, refused: 0, changed: false });
    expect(await imported('january', january)).toMatchObject({ written: 0, refused: 0, changed: false });
    expect(await days()).toEqual(standing);
  });

  it('with the same content may be the same transaction: its day is refused, and says where that one stands', async () => {
    await imported('january', january);
    const again = ofx('20.00', '20260205', '20260205', ['1', '20260205', '10.00', 'rent']);
    const outcome = await imported('again', again);
    expect(outcome).toMatchObject({ written: 0, refused: 1 });
    expect(outcome.errors[0]?.reason).toContain('Transaction 1 is booked on 2026-01-05 already');
    expect(await days()).toHaveLength(1);
  });

  it('twice on one day, beside a number', async () => {
    await imported('january', january);
    const twice = ofx(
      '4.00',
      '20260205',
      '20260205',
      ['1', '20260205', '-3.00', 'fee'],
      ['1', '20260205', '-3.00', 'fee 2'],
    );
    expect(await imported('twice', twice)).toMatchObject({ written: 2, refused: 0 });
    const standing = await days();
    expect(standing[1]).toBe('2026-02-05 1 OPEN 400 1@2026-02-05.2=-300,1@2026-02-05=-300');
    expect(await imported('twice', twice)).toMatchObject({ written: 0, refused: 0, changed: false });
    expect(await days()).toEqual(standing);
  });
});

describe('a day that was restated', () => {
  const restate = (revision: number, externalId: string) => database.psql`
    WITH day AS (
      INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
      SELECT account_id, date, ${revision}, 'RESTATED', opening, 1000, 0, opening + 1000, 1 FROM business_days
      WHERE date = '2026-01-05' AND revision = 1 RETURNING *)
    INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description)
    SELECT account_id, date, revision, 1, ${externalId}, 1000, 'moved' FROM day`;

  it('is compared in its latest revision: the file that it came from is refused for it, with the difference', async () => {
    await imported('january', january);
    await restate(2, 'other');
    const outcome = await imported('january', january);
    expect(outcome).toMatchObject({ written: 0, refused: 1, changed: false });
    expect(outcome.errors[0]?.reason).toContain('closed and cannot change');
  });

  it('holds back no id that its latest revision left out', async () => {
    await imported('january', january);
    await restate(2, 'other');
    const moved = ofx('20.00', '20260205', '20260205', ['1', '20260205', '10.00', 'rent']);
    expect(await imported('moved', moved)).toMatchObject({ written: 1, refused: 0 });
    expect((await days()).at(-1)).toBe('2026-02-05 1 OPEN 2000 1=1000');
  });
});

describe('the audit log', () => {
  const rows = () => database.psql`SELECT actor, action, domain, key, before, after FROM changes ORDER BY sequence`;

  it('has one row for each file that something was written of, in the same transaction', async () => {
    await imported('january.ofx', january);
    expect(await rows()).toEqual([
      {
        actor: 'cli',
        action: 'importStatements',
        domain: 'STATEMENT',
        key: 'january.ofx',
        before: null,
        after: { accounts: 1, days: 1, transactions: 1, of: ['77'] },
      },
    ]);
    const [same] = await database.psql`SELECT count(DISTINCT xmin::text) AS count FROM (
      SELECT xmin FROM changes UNION ALL SELECT xmin FROM business_days UNION ALL SELECT xmin FROM transactions) AS rows`;
    expect(Number(same?.count)).toBe(1);
  });

  it('has none of a dry run, nor of a file that changes nothing', async () => {
    await imported('january', january, { dryRun: true });
    expect(await rows()).toEqual([]);
    await imported('january', january);
    await imported('january', january);
    expect(await rows()).toHaveLength(1);
  });
});
