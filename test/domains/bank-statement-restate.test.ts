// Restating a closed day: a new revision, balances that add up, and the one before as it was.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { type Payload, run, type Step } from './mutation-cases.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const line = (externalId: string, minor: string | number, rest: object = {}) => ({
  externalId,
  minor: String(minor),
  description: `line ${externalId}`,
  ...rest,
});

type Lines = readonly object[];
const newAccount = async (opening = '0', currency = 'BRL'): Promise<string> => {
  const number = `r-${randomUUID()}`;
  await run(api, ['openAccount', { number, holder: 'ana', currency, timeZone: 'UTC', opening }]);
  return number;
};
const day = (at: number): string => `2026-03-${String(at).padStart(2, '0')}`;
const post = (account: string, at: number, lines: Lines) =>
  run(api, ['postTransactions', { account, date: day(at), lines }]);
const close = (account: string, at: number) => run(api, ['closeBusinessDay', { account, date: day(at) }]);
const restating = (account: string, at: number, lines: Lines): Step => [
  'restateBusinessDay',
  { account, date: day(at), lines },
];
const restate = (account: string, at: number, lines: Lines, options: object | null = null): Promise<Payload> =>
  run(api, restating(account, at, lines), options as Record<string, unknown> | null);

/** An account with closed days of one transaction each, of the amounts given. */
async function closedDays(...amounts: number[]): Promise<string> {
  const account = await newAccount();
  for (const [at, minor] of amounts.entries()) {
    await post(account, at + 1, [line(`t${at + 1}`, minor)]);
    await close(account, at + 1);
  }
  return account;
}

/** What a reader sees of each day: status, revision, opening, closing, ids. */
async function seen(account: string, ...days: number[]): Promise<string[]> {
  return Promise.all(
    days.map(async (at) => {
      const { data } = await api.ask(
        `query ($account: String!, $date: Date) { statement(account: $account, date: $date) {
          status revision opening { minor } closing { minor } count lines { edges { node { externalId } } } } }`,
        { subject: 'ana', scopes: ['statements:read', 'statements:intraday'] },
        { account, date: day(at) },
      );
      const { status, revision, opening, closing, lines } = data.statement;
      const ids = lines.edges.map(({ node }: { node: { externalId: string } }) => node.externalId);
      return `${status} ${revision}: ${opening.minor} to ${closing.minor} ${ids.join(',')}`;
    }),
  );
}

describe('a closed day that is restated', () => {
  it('has the given transactions as its next revision, keeps its opening, and is what everybody reads at once', async () => {
    const account = await closedDays(100);
    const { receipt, statement } = await restate(account, 1, [line('t1', 70), line('new', -20)], { reason: 'wrong' });
    expect(receipt).toMatchObject({ visible: true, version: statement.version });
    expect(statement).toMatchObject({
      status: 'RESTATED',
      revision: 2,
      count: 2,
      opening: { minor: '0' },
      totalCredits: { minor: '70' },
      totalDebits: { minor: '20' },
      closing: { minor: '50', decimal: '0.50' },
    });
    expect(await seen(account, 1)).toEqual(['RESTATED 2: 0 to 50 t1,new']);
    expect(await restate(account, 1, [])).toMatchObject({
      statement: { revision: 3, count: 0, closing: { minor: '0' } },
    });
    expect(await seen(account, 1)).toEqual(['RESTATED 3: 0 to 0 ']);
  });

  it('leaves the revision before in the database as it was, and says in the log what changed', async () => {
    const account = await closedDays(100);
    const { receipt } = await restate(account, 1, [line('other', 7)]);
    const rows = await api.database.psql`
      SELECT day.revision, status, closing::text, external_id FROM business_days AS day JOIN accounts ON accounts.id = account_id
      JOIN transactions USING (account_id, date, revision) WHERE number = ${account} ORDER BY revision`;
    expect(rows).toEqual([
      { revision: 1, status: 'CLOSED', closing: '100', external_id: 't1' },
      { revision: 2, status: 'RESTATED', closing: '7', external_id: 'other' },
    ]);
    const [change] = await api.database.psql`
      SELECT action, before, after FROM changes WHERE key = ${`${account}/${day(1)}`} ORDER BY sequence DESC LIMIT 1`;
    expect(change).toEqual({
      action: 'restateBusinessDay',
      before: { revision: 1, status: 'CLOSED', closing: '100', count: 1 },
      after: { revision: 2, status: 'RESTATED', closing: '7', count: 1, carriedOn: 0 },
    });
    expect(receipt.changeId).toEqual(expect.any(String));
  });

  it('carries another closing on to the days after it: closed ones as revisions, open ones by themselves', async () => {
    const account = await closedDays(100, 10, 1);
    await post(account, 4, [line('open', 5)]);
    await restate(account, 1, [line('t1', 90)]);
    expect(await seen(account, 1, 2, 3, 4)).toEqual([
      'RESTATED 2: 0 to 90 t1',
      'RESTATED 2: 90 to 100 t2',
      'RESTATED 2: 100 to 101 t3',
      'OPEN 1: 101 to 106 open',
    ]);
    await restate(account, 2, [line('t2', 10), line('more', 1)]);
    expect(await seen(account, 1, 2, 3, 4)).toEqual([
      'RESTATED 2: 0 to 90 t1',
      'RESTATED 3: 90 to 101 t2,more',
      'RESTATED 3: 101 to 102 t3',
      'OPEN 1: 102 to 107 open',
    ]);
    expect(await close(account, 4)).toMatchObject({
      statement: { opening: { minor: '102' }, closing: { minor: '107' } },
    });
  });

  it('leaves the days after it alone where its closing stays', async () => {
    const account = await closedDays(100, 10);
    await restate(account, 1, [line('a', 60), line('b', 40)]);
    expect(await seen(account, 1, 2)).toEqual(['RESTATED 2: 0 to 100 a,b', 'CLOSED 1: 100 to 110 t2']);
  });

  it('carries nothing on beyond a day that never opened with what the one before closed with', async () => {
    const account = await closedDays(100, 10, 1);
    await api.database.psql`UPDATE business_days SET opening = 500, closing = 510
      FROM accounts WHERE accounts.id = account_id AND number = ${account} AND date = ${day(2)}`;
    await api.database.psql`UPDATE business_days SET opening = 510, closing = 511
      FROM accounts WHERE accounts.id = account_id AND number = ${account} AND date = ${day(3)}`;
    await restate(account, 1, [line('t1', 90)]);
    expect((await seen(account, 1, 2, 3)).map((each) => each.split(':')[0])).toEqual([
      'RESTATED 2',
      'CLOSED 1',
      'CLOSED 1',
    ]);
  });

  it('carries nothing on beyond a day for whose end the bank lists another balance', async () => {
    const account = await closedDays(100);
    await post(account, 2, [line('b', 1)]);
    await api.database.psql`UPDATE business_days SET stated_closing = 700
      FROM accounts WHERE accounts.id = account_id AND number = ${account} AND date = ${day(2)}`;
    await post(account, 3, [line('c', 1)]);
    await restate(account, 1, [line('t1', 90)]);
    expect(await seen(account, 2, 3)).toEqual(['OPEN 1: 90 to 91 b', 'OPEN 1: 700 to 701 c']);
  });

  it('adds up in every currency, up to 64 bits, and is refused beyond', async () => {
    for (const [currency, decimal] of [
      ['JPY', '7'],
      ['BRL', '0.07'],
      ['KWD', '0.007'],
    ]) {
      const account = await newAccount('0', currency);
      await close(account, 1);
      expect(await restate(account, 1, [line('a', 7)])).toMatchObject({ statement: { closing: { decimal } } });
    }
    const account = await closedDays(1, 9);
    const most = 2n ** 63n - 1n;
    const tooMuch = { __typename: 'ValidationError', path: ['lines'] };
    expect(await restate(account, 1, [line('a', String(most)), line('b', 1)])).toMatchObject(tooMuch);
    expect(await restate(account, 1, [line('a', String(most))])).toMatchObject({
      ...tooMuch,
      message: expect.stringContaining('a day after this one'),
    });
    expect(await seen(account, 1, 2)).toEqual(['CLOSED 1: 0 to 1 t1', 'CLOSED 1: 1 to 10 t2']);
    expect(await restate(account, 1, [line('a', String(most - 9n))])).toMatchObject({
      statement: { closing: { minor: String(most - 9n) } },
    });
  });

  it('frees the transactions that it leaves out: they can be booked on another day', async () => {
    const account = await closedDays(100);
    expect(await post(account, 2, [line('t1', 100)])).toMatchObject({ __typename: 'ValidationError' });
    await restate(account, 1, [line('other', 100)]);
    expect(await post(account, 2, [line('t1', 100)])).toMatchObject({ posted: 1, unchanged: 0 });
    expect(await restate(account, 1, [line('t1', 100)])).toMatchObject({
      __typename: 'ValidationError',
      path: ['lines', '0', 'externalId'],
      message: expect.stringContaining(day(2)),
    });
    expect(await post(account, 2, [line('other', 1)])).toMatchObject({ __typename: 'ValidationError' });
  });

  it('shows in a range of days once, in its latest revision, and its old transactions are nodes no more', async () => {
    const account = await closedDays(100, 10);
    const range = async () => {
      const { data } = await api.ask(
        `query ($number: String!) { account(number: $number) { transactions(from: "${day(1)}", to: "${day(2)}") {
          edges { node { id externalId amount { minor } } } } } }`,
        { subject: 'ana', scopes: ['statements:read'] },
        { number: account },
      );
      return data.account.transactions.edges.map(({ node }: Payload) => node);
    };
    const [old] = await range();
    await restate(account, 1, [line('x', 5), line('y', 6)]);
    expect((await range()).map(({ externalId }: Payload) => externalId)).toEqual(['x', 'y', 't2']);
    const { data } = await api.ask(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Transaction { externalId } } }`,
      { subject: 'ana', scopes: ['statements:read'] },
      { ids: [old.id, (await range())[1].id] },
    );
    expect(data.nodes).toEqual([null, { externalId: 'y' }]);
  });
});

describe('is refused', () => {
  it('a day that is open, that never was, or of an account that is not there', async () => {
    const account = await closedDays(100);
    await post(account, 2, [line('b', 1)]);
    expect(await restate(account, 2, [])).toMatchObject({ __typename: 'ValidationError', path: ['date'] });
    expect(await restate(account, 9, [])).toMatchObject({ __typename: 'NotFoundError', path: ['date'] });
    for (const number of ['nobody', '', 'x'.repeat(65), '\u0000', "'; --"]) {
      expect(await restate(number, 1, [])).toMatchObject({ __typename: 'NotFoundError', path: ['account'] });
    }
  });

  it('a transaction that is there twice, a text that is none, too many of them, an amount beyond 64 bits', async () => {
    const account = await closedDays(100);
    const faults: readonly [Lines, string[]][] = [
      [
        [line('a', 1), line('a', 1)],
        ['lines', '1', 'externalId'],
      ],
      [[line('', 1)], ['lines', '0', 'externalId']],
      [[line('a', 1, { description: '\u0000' })], ['lines', '0', 'description']],
      [[line('a', 1, { kind: ' ' })], ['lines', '0', 'kind']],
      [Array.from({ length: 1_001 }, (_, at) => line(`l${at}`, 1)), ['lines']],
    ];
    for (const [lines, path] of faults) {
      expect(await restate(account, 1, lines)).toMatchObject({ __typename: 'ValidationError', path });
    }
    await expect(restate(account, 1, [line('a', (2n ** 63n) as unknown as string)])).rejects.toThrow();
    expect(await seen(account, 1)).toEqual(['CLOSED 1: 0 to 100 t1']);
  });

  it('a version that no longer stands', async () => {
    const account = await closedDays(100);
    const { receipt } = await restate(account, 1, [line('a', 1)]);
    expect(await restate(account, 1, [], { expectedVersion: '1' })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: receipt.version,
    });
    expect(await restate(account, 1, [], { expectedVersion: receipt.version })).toHaveProperty('receipt');
  });
});

it('a year of closed days after it is carried on in one go, and seen by everybody; more is refused', async () => {
  const account = await newAccount();
  const { psql } = api.database;
  const days = (count: number) => psql`
    INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
    SELECT id, date '2020-01-01' + n, 1, 'CLOSED', n, 1, 0, n + 1, 1 FROM accounts, generate_series(0, ${count - 1}) AS n
    WHERE number = ${account} ON CONFLICT DO NOTHING`;
  await days(366);
  await psql`
    INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description)
    SELECT account_id, date, revision, 1, 'd' || date, 1, 'one' FROM business_days JOIN accounts ON accounts.id = account_id
    WHERE number = ${account}`;
  await psql`SELECT cache_barrier('30 seconds')`;
  const args = { account, date: '2020-01-01', lines: [line('d2020-01-01', 11)] };
  expect(await run(api, ['restateBusinessDay', args])).toMatchObject({ statement: { revision: 2 } });
  await psql`SELECT cache_barrier('30 seconds')`;
  const { data } = await api.ask(
    `query ($account: String!) { statement(account: $account) { date revision closing { minor }
      lines { edges { node { externalId } } } } }`,
    { subject: 'ana', scopes: ['statements:read'] },
    { account },
  );
  expect(data.statement).toEqual({
    date: '2020-12-31',
    revision: 2,
    closing: { minor: '376' },
    lines: { edges: [{ node: { externalId: 'd2020-12-31' } }] },
  });
  await days(500);
  await psql`UPDATE business_days AS day SET opening = day.opening + 10, closing = day.closing + 10 FROM accounts
    WHERE accounts.id = account_id AND number = ${account} AND date > '2020-12-31'`;
  await psql`SELECT cache_barrier('30 seconds')`;
  expect(await run(api, ['restateBusinessDay', { ...args, lines: [] }])).toMatchObject({
    __typename: 'ValidationError',
    message: expect.stringContaining('499 closed days follow'),
  });
});
