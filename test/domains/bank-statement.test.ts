// What accounts and their statements promise, asked through GraphQL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import { contextOfViewer, readAccount } from '../../src/resolvers/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const officer = {
  subject: 'officer',
  scopes: ['statements:read-any', 'statements:write', 'statements:intraday'],
};
const ana = { subject: 'ana', scopes: ['statements:read'] };
const bruno = { subject: 'bruno', scopes: ['statements:read'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const ERRORS = '... on UserError { __typename code message path } ... on ConflictError { currentVersion }';

const open = async (number: string, rest: object = {}) =>
  (
    await api.ask(
      `mutation ($number: String!, $holder: String!, $currency: String!, $timeZone: String!, $opening: BigInt) {
        openAccount(number: $number, holder: $holder, currency: $currency, timeZone: $timeZone, opening: $opening) {
          ... on OpenAccountPayload { receipt { visible version } account { number holder currency latestBusinessDate } }
          ${ERRORS} } }`,
      officer,
      { number, holder: 'ana', currency: 'BRL', timeZone: 'America/Sao_Paulo', ...rest },
    )
  ).data.openAccount;

const line = (externalId: string, minor: string | number, rest: object = {}) => ({
  externalId,
  minor,
  description: `line ${externalId}`,
  ...rest,
});

type Posting = [account: string, date: string, lines: object[], options?: object | null, nowMs?: number];
const tryToPost = (...[account, date, lines, options = null, nowMs]: Posting) =>
  api.ask(
    `mutation ($account: String!, $date: Date!, $lines: [TransactionInput!]!, $options: WriteOptions) {
      postTransactions(account: $account, date: $date, lines: $lines, options: $options) {
        ... on PostTransactionsPayload { posted unchanged receipt { visible version }
          statement { status revision count opening { minor } closing { minor decimal } totalCredits { minor } totalDebits { minor } } }
        ${ERRORS} } }`,
    { ...officer, ...(nowMs !== undefined && { nowMs }) },
    { account, date, lines, options },
  );
const post = async (...posting: Posting) => (await tryToPost(...posting)).data.postTransactions;

/** As who is told that others hold the same rows, and to try again: a loaded machine lets nobody wait for long. */
const postInTurn = (...posting: Posting) =>
  eventually(async () => {
    const { data, errors } = await tryToPost(...posting);
    expect(errors.filter(({ code }) => code !== 'UNAVAILABLE')).toEqual([]);
    return data?.postTransactions ?? undefined;
  });

const close = async (account: string, date: string, closing: string | null = null) =>
  (
    await api.ask(
      `mutation ($account: String!, $date: Date!, $closing: BigInt) {
        closeBusinessDay(account: $account, date: $date, closing: $closing) {
          ... on CloseBusinessDayPayload { receipt { visible version } statement { status date opening { minor } closing { minor } } }
          ${ERRORS} } }`,
      officer,
      { account, date, closing },
    )
  ).data.closeBusinessDay;

const statement = async (account: string, date: string | null = null, caller: object = ana) =>
  (
    await api.ask(
      `query ($account: String!, $date: Date) { statement(account: $account, date: $date) {
        date status closing { minor } account { number } lines { edges { node { externalId amount { decimal } } } } } }`,
      caller,
      { account, date },
    )
  ).data.statement;

describe('a business day', () => {
  it('opens with the first posting, adds up exactly, and becomes the default once it is closed', async () => {
    expect(await open('d-1', { opening: '10000' })).toMatchObject({ receipt: { visible: true } });
    expect(await post('d-1', '2026-03-02', [line('a', '2550'), line('b', -1000)])).toMatchObject({
      posted: 2,
      unchanged: 0,
      receipt: { visible: true },
      statement: {
        status: 'OPEN',
        count: 2,
        opening: { minor: '10000' },
        closing: { minor: '11550', decimal: '115.50' },
        totalCredits: { minor: '2550' },
        totalDebits: { minor: '1000' },
      },
    });
    expect(await statement('d-1')).toBeNull();
    expect(await close('d-1', '2026-03-02', '11550')).toMatchObject({
      receipt: { visible: true },
      statement: { status: 'CLOSED', closing: { minor: '11550' } },
    });
    expect(await statement('d-1')).toMatchObject({ date: '2026-03-02', status: 'CLOSED', account: { number: 'd-1' } });
  });

  it('does not close at a balance that its transactions do not give', async () => {
    await post('d-1', '2026-03-03', [line('c', 1)]);
    expect(await close('d-1', '2026-03-03', '999')).toMatchObject({ __typename: 'ValidationError', path: ['closing'] });
    expect(await close('d-1', '2026-03-03')).toMatchObject({
      statement: { opening: { minor: '11550' }, closing: { minor: '11551' } },
    });
  });

  it('is immutable once closed', async () => {
    expect(await post('d-1', '2026-03-02', [line('late', 1)])).toMatchObject({
      __typename: 'ValidationError',
      path: ['date'],
    });
    expect(await close('d-1', '2026-03-02')).toMatchObject({ __typename: 'ValidationError', path: ['date'] });
  });

  it('that stays open does not hold up the next, which opens at its running balance', async () => {
    await open('d-2');
    await post('d-2', '2026-03-02', [line('a', 100)]);
    await post('d-2', '2026-03-03', [line('b', 10)]);
    expect(await close('d-2', '2026-03-03')).toMatchObject({
      statement: { opening: { minor: '100' }, closing: { minor: '110' } },
    });
    expect((await statement('d-2')).date).toBe('2026-03-03');
    await post('d-2', '2026-03-02', [line('c', 5)]);
    const refused = await close('d-2', '2026-03-02');
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['date'] });
    expect(refused.message).toContain('1.05 BRL');
    await post('d-2', '2026-03-02', [line('d', -5)]);
    expect(await close('d-2', '2026-03-02')).toMatchObject({ statement: { status: 'CLOSED' } });
  });

  it('carries a balance that the bank listed otherwise on to the open days after it, once it is closed', async () => {
    await open('d-5', { opening: '100' });
    await post('d-5', '2026-03-02', [line('a', 10)]);
    await api.database.psql`UPDATE business_days SET stated_closing = 150
      FROM accounts WHERE accounts.id = account_id AND number = 'd-5'`;
    await post('d-5', '2026-03-03', [line('b', 5)]);
    await close('d-5', '2026-03-02');
    expect(await post('d-5', '2026-03-03', [line('b', 5)])).toMatchObject({
      statement: { opening: { minor: '110' }, closing: { minor: '115' } },
    });
  });

  it('carries a late posting on to the open days after it', async () => {
    await open('d-3');
    await post('d-3', '2026-03-02', [line('a', 100)]);
    await post('d-3', '2026-03-04', [line('b', 10)]);
    await post('d-3', '2026-03-02', [line('c', 1)]);
    expect(await post('d-3', '2026-03-04', [line('b', 10)])).toMatchObject({
      unchanged: 1,
      statement: { opening: { minor: '101' }, closing: { minor: '111' } },
    });
  });

  it('cannot be put in before a closed one, nor begun before it dawns in the account’s own time zone', async () => {
    expect(await post('d-1', '2026-03-01', [line('x', 1)])).toMatchObject({
      __typename: 'ValidationError',
      path: ['date'],
    });
    await open('tokyo', { timeZone: 'Asia/Tokyo', currency: 'JPY' });
    const evening = Date.parse('2026-05-01T14:59:59Z');
    expect(await post('tokyo', '2026-05-02', [line('x', 1)], null, evening)).toMatchObject({ path: ['date'] });
    expect(await post('tokyo', '2026-05-02', [line('x', 1)], null, evening + 1_000)).toMatchObject({
      statement: { closing: { minor: '1', decimal: '1' } },
    });
  });

  it('shows while it is open only to who may see intraday data', async () => {
    await open('d-4');
    await post('d-4', '2026-03-02', [line('a', 100)]);
    expect(await statement('d-4', '2026-03-02', ana)).toBeNull();
    expect(await statement('d-4', '2026-03-02', officer)).toMatchObject({ status: 'OPEN' });
  });
});

describe('posting', () => {
  it('counts what is booked already, and refuses the same id with other content, writing nothing', async () => {
    await open('p-1');
    await post('p-1', '2026-03-02', [line('a', 100)]);
    expect(await post('p-1', '2026-03-02', [line('a', 100), line('b', 1)])).toMatchObject({ posted: 1, unchanged: 1 });
    expect(await post('p-1', '2026-03-02', [line('c', 1), line('a', 99)])).toMatchObject({
      __typename: 'ValidationError',
      path: ['lines', '1', 'externalId'],
    });
    expect(await post('p-1', '2026-03-03', [line('a', 100)])).toMatchObject({ path: ['lines', '0', 'externalId'] });
    expect((await statement('p-1', '2026-03-02', officer)).lines.edges).toHaveLength(2);
  });

  it('refuses what cannot be an amount, a line that is there twice, no lines, and unknown accounts', async () => {
    expect(await post('p-1', '2026-03-02', [line('m', '9223372036854775807')])).toMatchObject({ path: ['lines'] });
    const big = '9000000000000000000';
    expect(await post('p-1', '2026-03-02', [line('x', big), line('y', `-${big}`), line('z', big)])).toMatchObject({
      path: ['lines'],
    });
    expect(await post('p-1', '2026-03-02', [line('t', 1), line('t', 2)])).toMatchObject({
      path: ['lines', '1', 'externalId'],
    });
    expect(await post('p-1', '2026-03-02', [])).toMatchObject({ path: ['lines'] });
    expect(await post('nobody', '2026-03-02', [line('a', 1)])).toMatchObject({
      __typename: 'NotFoundError',
      path: ['account'],
    });
  });

  it('keeps every sign of a text, in the cache and out of it', async () => {
    await open('signs');
    const description = 'PIX "Casa" \\ {a,b} NULL \\" é';
    const lines = [line('"\\{}"', 1, { description, kind: '\\' })];
    await post('signs', '2026-03-02', lines);
    await close('signs', '2026-03-02');
    const texts = async () => {
      const { data } = await api.ask(
        `{ statement(account: "signs") { lines { edges { node { externalId description kind } } } } }`,
        ana,
      );
      return data.statement.lines.edges.map(({ node }: { node: object }) => node);
    };
    const expected = [{ externalId: '"\\{}"', description, kind: '\\' }];
    expect(await texts()).toEqual(expected);
    await api.gateway.services.cache.purge('statement-lines', ['signs/2026-03-02:1']);
    expect(await texts()).toEqual(expected);
    expect(await post('signs', '2026-03-02', lines)).toMatchObject({ __typename: 'ValidationError', path: ['date'] });
  });

  it('keeps every digit of a large amount', async () => {
    await open('p-2', { currency: 'KWD' });
    expect(await post('p-2', '2026-03-02', [line('a', '9007199254740993')])).toMatchObject({
      statement: { closing: { minor: '9007199254740993', decimal: '9007199254740.993' } },
    });
  });

  it('refuses a version that no longer stands', async () => {
    const first = await post('p-3', '2026-03-02', []);
    expect(first.path).toEqual(['lines']);
    await open('p-3');
    const { receipt } = await post('p-3', '2026-03-02', [line('a', 1)]);
    await post('p-3', '2026-03-02', [line('b', 1)], { expectedVersion: receipt.version });
    expect(await post('p-3', '2026-03-02', [line('c', 1)], { expectedVersion: receipt.version })).toMatchObject({
      __typename: 'ConflictError',
    });
  });

  it('serialises writers of one account: nothing is lost', async () => {
    await open('p-4');
    const posts = Array.from({ length: 20 }, (_, at) =>
      postInTurn('p-4', `2026-03-0${1 + (at % 4)}`, [line(`x${at}`, 1)]),
    );
    const results = await Promise.all(posts);
    expect(results.filter(({ posted }) => posted === 1)).toHaveLength(20);
    const [sum] = await api.database
      .psql`SELECT count(*)::int AS lines FROM transactions JOIN accounts ON accounts.id = account_id WHERE number = 'p-4'`;
    expect(sum?.lines).toBe(20);
    for (const day of ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']) {
      expect((await close('p-4', day)).statement.status).toBe('CLOSED');
    }
    expect((await statement('p-4')).closing.minor).toBe('20');
  });
});

describe('opening an account', () => {
  it('refuses a number that is taken, and what is no currency, time zone or number', async () => {
    await open('o-1');
    expect(await open('o-1')).toMatchObject({ __typename: 'ValidationError', path: ['number'] });
    expect(await open('o-2', { currency: 'XYZ' })).toMatchObject({ path: ['currency'] });
    expect(await open('o-2', { timeZone: 'Mars/Olympus' })).toMatchObject({ path: ['timeZone'] });
    expect(await open('o 2')).toMatchObject({ path: ['number'] });
    expect(await open('o-2', { holder: '' })).toMatchObject({ path: ['holder'] });
  });
});

describe('a trace', () => {
  it('does not tell a foreign account from a missing one', async () => {
    await open('t-1', { holder: 'ana' });
    const traced = async (number: string) => {
      const viewer = { subject: 'bruno', scopes: new Set(['statements:read']), tokenId: null };
      const ctx = contextOfViewer(api.gateway.services, viewer);
      for (let time = 0; time < 2; time++) {
        ctx.cache.clear();
        expect(await readAccount(ctx, number)).toBeNull();
      }
      return traceOf(ctx).map((entry) => ({ ...entry, key: 'key', ms: 0 }));
    };
    await traced('t-1');
    await traced('t-none');
    expect(await traced('t-1')).toEqual(await traced('t-none'));
  });
});

describe('who may read', () => {
  it('the holder and the back office; to all others an account looks missing', async () => {
    await open('r-1');
    await post('r-1', '2026-03-02', [line('a', 100)]);
    await close('r-1', '2026-03-02');
    const account = async (caller: object) =>
      (await api.ask(`{ account(number: "r-1") { holder statement { date } } }`, caller)).data.account;
    expect(await account(ana)).toEqual({ holder: 'ana', statement: { date: '2026-03-02' } });
    expect(await account(officer)).toMatchObject({ holder: 'ana' });
    expect(await account(bruno)).toBeNull();
    expect(await statement('r-1', null, bruno)).toBeNull();
    expect(await statement('missing', null, bruno)).toBeNull();
    const nobody = await api.ask(`{ account(number: "r-1") { holder } }`);
    expect(nobody.errors[0]?.code).toBe('UNAUTHENTICATED');
    const { data } = await api.ask(`{ accounts { edges { node { number } } } }`, bruno);
    expect(data.accounts.edges).toEqual([]);
  });

  it.each([
    '\u0000',
    '\ud800',
    `a'b`,
    'x'.repeat(65),
  ])('a number that can be none is that of no account: %j', async (number) => {
    const { data, errors } = await api.ask(
      `query ($number: String!) { account(number: $number) { number } statement(account: $number) { date } }`,
      officer,
      { number },
    );
    expect([data, errors]).toEqual([{ account: null, statement: null }, []]);
    expect(await post(number, '2026-03-02', [line('a', 1)])).toMatchObject({ __typename: 'NotFoundError' });
    expect(await close(number, '2026-03-02')).toMatchObject({ __typename: 'NotFoundError' });
  });

  it('holds for global ids too', async () => {
    const { data } = await api.ask(
      `{ statement(account: "r-1") { id account { id } lines { edges { node { id } } } } }`,
      ana,
    );
    const ids = [data.statement.id, data.statement.account.id, data.statement.lines.edges[0].node.id];
    const nodes = async (caller: object) =>
      (await api.ask(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`, caller, { ids })).data.nodes;
    expect((await nodes(ana)).map((node: { __typename: string }) => node.__typename)).toEqual([
      'Statement',
      'Account',
      'Transaction',
    ]);
    expect(await nodes(bruno)).toEqual([null, null, null]);
    expect(await nodes({})).toEqual([null, null, null]);
  });
});

describe('pages', () => {
  it('of a statement and of a range of days follow booking order without a gap, and refuse foreign cursors', async () => {
    await open('k-1');
    const days = ['2026-03-02', '2026-03-03', '2026-03-04'];
    for (const day of days) {
      await post(
        'k-1',
        day,
        Array.from({ length: 25 }, (_, at) => line(`${day}-${at}`, at + 1)),
      );
      await close('k-1', day);
    }
    const lines = async (first: number, after: string | null) =>
      (
        await api.ask(
          `query ($first: Int, $after: String) { statement(account: "k-1") { lines(first: $first, after: $after) {
            edges { node { externalId } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`,
          ana,
          { first, after },
        )
      ).data.statement.lines;
    const range = async (first: number, after: string | null) =>
      (
        await api.ask(
          `query ($first: Int, $after: String) { account(number: "k-1") {
            transactions(from: "2026-03-01", to: "2026-03-31", first: $first, after: $after) {
              edges { node { externalId } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`,
          ana,
          { first, after },
        )
      ).data.account.transactions;
    const walk = async (page: typeof lines, size: number) => {
      const seen: string[] = [];
      for (let after: string | null = null; ; ) {
        const { edges, pageInfo } = await page(size, after);
        seen.push(...edges.map(({ node }: { node: { externalId: string } }) => node.externalId));
        if (!pageInfo.hasNextPage) return seen;
        after = pageInfo.endCursor;
      }
    };
    const expected = days.map((day) => Array.from({ length: 25 }, (_, at) => `${day}-${at}`));
    for (const size of [1, 7, 25, 100]) {
      expect(await walk(lines, size)).toEqual(expected[2]);
      expect(await walk(range, size)).toEqual(expected.flat());
    }
    const foreign = (await lines(1, null)).pageInfo.endCursor;
    const refused = await api.ask(
      `query ($after: String) { statement(account: "k-1", date: "2026-03-02") { lines(after: $after) { edges { cursor } } } }`,
      ana,
      { after: foreign },
    );
    expect(refused.errors[0]?.code).toBe('BAD_REQUEST');
    const tooMany = await api.ask(`{ statement(account: "k-1") { lines(first: 101) { edges { cursor } } } }`, ana);
    expect(tooMany.errors[0]).toMatchObject({ code: 'BAD_REQUEST', message: 'first must be from 1 to 100, not 101.' });
  });

  it('of a statement are read from the cache by page: one flush a level, no statement once warm', async () => {
    const document = `{ statement(account: "k-1") { date lines(first: 5) { edges { node { externalId } } } } }`;
    await eventually(async () => (await api.ask(document, ana)).trace.every(({ outcome }) => outcome === 'HIT'));
    api.events.length = 0;
    await api.ask(document, ana);
    const kinds = api.events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'flush')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'hit')).toHaveLength(3);
    expect(kinds).not.toContain('loaded');
  });
});
