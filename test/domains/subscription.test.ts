// What followers are promised, over server-sent events from two gateways on one database.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, withoutRelays } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import type { Followed } from '../support/follow.js';
import { type Served, serveApi } from '../support/served.js';

const editor = { scopes: ['menus:read', 'menus:write'] };
const officer = {
  subject: 'officer',
  scopes: ['statements:read-any', 'statements:write', 'tokens:write', 'tokens:grant', 'flags:read', 'flags:write'],
};

let here: Served;
let there: Served;
const open: Followed[] = [];

beforeAll(async () => {
  here = await serveApi();
  there = await serveApi({ database: here.database });
});
afterEach(async () => {
  for (const followed of open.splice(0)) followed.leave();
  await eventually(() => here.gateway.services.cache.feed.listeners === 0);
});
afterAll(async () => {
  await there.close();
  await here.close();
});

const follow: Served['follow'] = async (document, options) => {
  const followed = await here.follow(document, options);
  open.push(followed);
  return followed;
};

const saveMenu = async (key: string, title: string, { at = here, locale = 'en', items = [] as object[] } = {}) => {
  const { data } = await at.ask(
    `mutation ($input: SaveMenuInput!) { saveMenu(input: $input) {
      ... on SaveMenuPayload { receipt { visible version } } ... on UserError { message } } }`,
    editor,
    { input: { key, locale, title, items } },
  );
  expect(data.saveMenu.receipt.visible).toBe(true);
  return data.saveMenu.receipt.version as string;
};

const menus = (keys?: readonly string[], options: object = {}) =>
  follow(`subscription ($keys: [String!]) { menuChanged(keys: $keys) { key locale title version itemCount } }`, {
    ...options,
    variables: { keys },
  });

const issue = async (scopes: readonly string[], subject = 'ana'): Promise<{ id: string; secret: string }> => {
  const { data } = await here.ask(
    `mutation ($input: IssueTokenInput!) { issueToken(input: $input) {
      ... on IssueTokenPayload { secret token { id } } ... on UserError { message } } }`,
    officer,
    { input: { name: 'follower', subject, scopes } },
  );
  return { id: data.issueToken.token.id, secret: data.issueToken.secret };
};

/** A change that every follower of menus hears: what was to come before it has come, or never will. */
const lastWord = async (key: string, at = here) => saveMenu(key, 'last word', { at });

describe('menuChanged tells of', () => {
  it('a mutation on the same gateway, with what it wrote', async () => {
    const followed = await menus(['same']);
    const version = await saveMenu('same', 'First');
    expect(await followed.next()).toEqual({
      data: { menuChanged: { key: 'same', locale: 'en', title: 'First', version, itemCount: 0 } },
    });
  });

  it('a mutation on another gateway', async () => {
    const followed = await menus(['other']);
    await saveMenu('other', 'From there', { at: there });
    expect((await followed.next()).data.menuChanged.title).toBe('From there');
  });

  it('an edit with psql, of the menu or of an item', async () => {
    await saveMenu('edited', 'Before', { items: [{ key: 'a', label: 'A' }] });
    const followed = await menus(['edited']);
    await here.database.psql`UPDATE menus SET title = 'After' WHERE key = 'edited'`;
    expect((await followed.next()).data.menuChanged.title).toBe('After');
    await here.database.psql`INSERT INTO menu_items (menu_id, key, position, label)
      SELECT id, 'b', 1, 'B' FROM menus WHERE key = 'edited'`;
    expect((await followed.next()).data.menuChanged.itemCount).toBe(2);
  });

  it('any menu where no keys are given, and any locale of the keys', async () => {
    const [all, some] = await Promise.all([menus(), menus(['one', 'two'])]);
    await saveMenu('three', 'Three');
    await saveMenu('one', 'Um', { locale: 'pt' });
    await saveMenu('two', 'Two');
    await lastWord('one');
    await eventually(() => all.results.length === 4 && some.results.length === 3);
    const keys = (followed: Followed) =>
      followed.results.map(({ data }) => `${data.menuChanged.key}:${data.menuChanged.locale}`).sort();
    expect(keys(all)).toEqual(['one:en', 'one:pt', 'three:en', 'two:en']);
    expect(keys(some)).toEqual(['one:en', 'one:pt', 'two:en']);
  });

  it('nothing that was rolled back or deleted', async () => {
    await saveMenu('gone', 'Gone');
    const followed = await menus(['gone', 'kept']);
    await here.database.psql
      .begin(async (session) => {
        await session`UPDATE menus SET title = 'Never' WHERE key = 'gone'`;
        throw new Error('rolled back');
      })
      .catch(() => {});
    await here.database.psql`DELETE FROM menus WHERE key = 'gone'`;
    await new Promise((resolve) => setTimeout(resolve, 300)); // a look for each of the two, not one for all
    await lastWord('kept');
    expect((await followed.next()).data.menuChanged).toMatchObject({ key: 'kept', title: 'last word' });
    expect(followed.results).toHaveLength(1);
  });

  it('what the follower may see at that moment', async () => {
    const { secret } = await issue(['menus:write']);
    const [visitor, member] = await Promise.all([menus(['seen']), menus(['seen'], { token: secret })]);
    await saveMenu('seen', 'Seen', {
      items: [
        { key: 'a', label: 'A' },
        { key: 's', label: 'S', requiredScope: 'menus:write' },
      ],
    });
    expect((await visitor.next()).data.menuChanged.itemCount).toBe(1);
    expect((await member.next()).data.menuChanged.itemCount).toBe(2);
  });

  it('50 changes of one menu in fewer events, the last among them and none older than the one before', async () => {
    await saveMenu('busy', '0');
    const followed = await menus(['busy']);
    const retitle = async (from: number, to: number) => {
      for (let at = from; at <= to; at++)
        await here.database.psql`UPDATE menus SET title = ${String(at)} WHERE key = 'busy'`;
    };
    await retitle(1, 25);
    await withoutRelays(() => retitle(26, 50)); // the feed looks once for all of these, however long they take
    await eventually(() => followed.results.at(-1)?.data.menuChanged.title === '50');
    const titles = followed.results.map(({ data }) => Number(data.menuChanged.title));
    expect(titles).toEqual([...new Set(titles)].sort((one, other) => one - other));
    expect(titles.length).toBeLessThan(50);
  });

  it('each of two followers, also by GET', async () => {
    const two = await Promise.all([menus(['both']), menus(['both'], { get: true })]);
    await saveMenu('both', 'Both');
    for (const followed of two) expect((await followed.next()).data.menuChanged.title).toBe('Both');
  });

  it('refuses keys that are none', async () => {
    expect((await (await menus([])).next()).errors[0].extensions.code).toBe('BAD_REQUEST');
    expect((await (await menus(['a b'])).next()).errors[0].extensions.code).toBe('BAD_REQUEST');
  });

  it('tells where its value came from when asked', async () => {
    const followed = await menus(['traced'], { headers: { 'x-cache-trace': '1' } });
    await saveMenu('traced', 'Traced');
    const { extensions } = await followed.next();
    expect(extensions.cache).toMatchObject([{ view: 'menu', key: 'traced:en' }]);
  });
});

describe('statementReady', () => {
  const ask = async (document: string, variables: object, caller: Caller = officer) => {
    const { data, errors } = await here.ask(document, caller, { ...variables });
    expect(errors).toEqual([]);
    return data;
  };
  const openAccount = (number: string, holder = 'ana') =>
    ask(
      `mutation ($number: String!, $holder: String!) {
        openAccount(number: $number, holder: $holder, currency: "BRL", timeZone: "UTC") { __typename } }`,
      { number, holder },
    );
  const post = (account: string, date: string) =>
    ask(
      `mutation ($account: String!, $date: Date!, $id: String!) {
        postTransactions(account: $account, date: $date, lines: [{ externalId: $id, minor: "100", description: "x" }]) { __typename } }`,
      { account, date, id: `${account} ${date}` },
    );
  const close = (account: string, date: string) =>
    ask(
      `mutation ($account: String!, $date: Date!) { closeBusinessDay(account: $account, date: $date) { __typename } }`,
      { account, date },
    );
  const STATEMENT = `subscription ($account: String!) {
    statementReady(account: $account) { date status closing { minor } account { number latestBusinessDate } } }`;
  const statements = (account: string, token: string) => follow(STATEMENT, { token, variables: { account } });

  it('tells of a day when it is closed, not while it is open', async () => {
    await openAccount('s-1');
    const { secret } = await issue(['statements:read']);
    const followed = await statements('s-1', secret);
    await post('s-1', '2026-03-02');
    await close('s-1', '2026-03-02');
    expect(await followed.next()).toEqual({
      data: {
        statementReady: {
          date: '2026-03-02',
          status: 'CLOSED',
          closing: { minor: '100' },
          account: { number: 's-1', latestBusinessDate: '2026-03-02' },
        },
      },
    });
    expect(followed.results).toHaveLength(1);
  });

  it('tells of a day closed with psql, and shows its account as it is since', async () => {
    await openAccount('s-2');
    const { secret } = await issue(['statements:read']);
    for (const date of ['2026-03-02', '2026-03-03', '2026-03-04']) {
      await post('s-2', date);
      const followed = await statements('s-2', secret);
      await here.ask(`{ account(number: "s-2") { latestBusinessDate } }`, officer);
      await here.database.psql`UPDATE business_days SET status = 'CLOSED' WHERE date = ${date}
        AND account_id = (SELECT id FROM accounts WHERE number = 's-2')`;
      const { statementReady } = (await followed.next()).data;
      expect(statementReady).toMatchObject({ date, status: 'CLOSED', account: { latestBusinessDate: date } });
    }
  });

  it('tells nothing of a foreign account, as of one that does not exist', async () => {
    await openAccount('s-3', 'bruno');
    await openAccount('s-4', 'ana');
    const { secret } = await issue(['statements:read']);
    const [foreign, missing, own] = await Promise.all(['s-3', 's-none', 's-4'].map((each) => statements(each, secret)));
    for (const account of ['s-3', 's-4']) {
      await post(account, '2026-03-02');
      await close(account, '2026-03-02');
    }
    await own?.next();
    expect([foreign?.status, missing?.status]).toEqual([200, 200]);
    expect([foreign?.results, missing?.results]).toEqual([[], []]);
  });

  it('tells nothing more once the account belongs to somebody else, and again once it is back', async () => {
    await openAccount('s-5');
    const { secret } = await issue(['statements:read']);
    const followed = await statements('s-5', secret);
    const turn = async (holder: string, date: string) => {
      await here.database.psql`UPDATE accounts SET holder = ${holder} WHERE number = 's-5'`;
      await post('s-5', date);
      await close('s-5', date);
      await new Promise((resolve) => setTimeout(resolve, 300)); // a look of its own
    };
    await turn('bruno', '2026-03-02');
    expect(followed.results).toEqual([]);
    await turn('ana', '2026-03-03');
    const dates = () => followed.results.map(({ data }) => data.statementReady.date);
    await eventually(() => dates().includes('2026-03-03'));
    expect(followed.results.filter(({ errors }) => errors)).toEqual([]);
  });

  it('is refused before it opens without a scope, or with a token that is none', async () => {
    const { secret } = await issue(['menus:read']);
    const refused = await follow(STATEMENT, { token: secret, variables: { account: 's-1' } });
    expect((await refused.next()).errors[0].extensions.code).toBe('FORBIDDEN');
    expect(await refused.completed).toBe(true);
    const nobody = await follow(STATEMENT, { variables: { account: 's-1' } });
    expect((await nobody.next()).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await follow(STATEMENT, { token: 'esp_wrong', variables: { account: 's-1' } })).status).toBe(401);
    expect(here.gateway.services.cache.feed.listeners).toBe(0);
  });

  it('ends with FORBIDDEN at the first event after the token lost its scope', async () => {
    await openAccount('s-6');
    const { id, secret } = await issue(['statements:read', 'menus:read']);
    const followed = await statements('s-6', secret);
    const [, uuid] = Buffer.from(id, 'base64url').toString().split(':');
    await here.database.psql`UPDATE tokens SET scopes = '{menus:read}' WHERE id = ${uuid ?? ''}`;
    await post('s-6', '2026-03-02');
    expect((await followed.next()).errors[0].extensions.code).toBe('FORBIDDEN');
    expect(await followed.completed).toBe(true);
  });
});

describe('flagsChanged', () => {
  const FLAG = `subscription ($environment: String!) { flagsChanged(environment: $environment) { key enabled version } }`;
  const flags = (environment: string, token?: string) =>
    follow(FLAG, { variables: { environment }, ...(token && { token }) });
  const saveEnvironment = (key: string, isPublic: boolean) =>
    here.ask(
      `mutation ($key: String!, $public: Boolean!) { saveEnvironment(key: $key, public: $public) { __typename } }`,
      officer,
      { key, public: isPublic },
    );
  const saveFlag = async (environment: string, key: string, enabled = true) => {
    const { data } = await here.ask(
      `mutation ($input: SaveFlagInput!) { saveFlag(input: $input) {
        ... on SaveFlagPayload { flag { version } } ... on UserError { message } } }`,
      officer,
      {
        input: {
          environment,
          key,
          enabled,
          definition: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' },
        },
      },
    );
    expect(data.saveFlag.message).toBeUndefined();
    return data.saveFlag.flag.version as string;
  };

  it('tells of a flag that was saved, switched, or edited with psql', async () => {
    await saveEnvironment('live', true);
    const followed = await flags('live');
    const version = await saveFlag('live', 'a');
    expect((await followed.next()).data).toEqual({ flagsChanged: { key: 'a', enabled: true, version } });
    await there.ask(`mutation { toggleFlag(environment: "live", key: "a", enabled: false) { __typename } }`, officer);
    expect((await followed.next()).data.flagsChanged).toMatchObject({ key: 'a', enabled: false });
    await here.database.psql`UPDATE flags SET enabled = true WHERE environment = 'live' AND key = 'a'`;
    expect((await followed.next()).data.flagsChanged).toMatchObject({ key: 'a', enabled: true });
  });

  it('tells of its environment alone, and of one that is not public only whoever may evaluate it', async () => {
    await saveEnvironment('closed', false);
    await saveEnvironment('open', true);
    const { secret } = await issue(['flags:evaluate']);
    const [visitor, evaluator, open] = await Promise.all([flags('closed'), flags('closed', secret), flags('open')]);
    await saveFlag('closed', 'hidden');
    await saveFlag('open', 'shown');
    expect((await evaluator.next()).data.flagsChanged.key).toBe('hidden');
    expect((await open.next()).data.flagsChanged.key).toBe('shown');
    expect([visitor.results.length, evaluator.results.length, open.results.length]).toEqual([0, 1, 1]);
  });

  it('keeps the definition to readers of flags', async () => {
    await saveEnvironment('telling', true);
    const { secret } = await issue(['flags:read']);
    const definition = `subscription { flagsChanged(environment: "telling") { key definition } }`;
    const [visitor, reader] = await Promise.all([follow(definition), follow(definition, { token: secret })]);
    await saveFlag('telling', 'a');
    expect((await visitor.next()).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await reader.next()).data.flagsChanged.definition.defaultVariant).toBe('on');
  });
});

describe('a stream', () => {
  it.each([
    'revoked',
    'expired',
  ])('ends with UNAUTHENTICATED at the first event after its token was %s', async (how) => {
    const { id, secret } = await issue(['menus:read']);
    const key = `token-${how}`;
    const followed = await menus([key], { token: secret });
    await saveMenu(key, 'Before');
    expect((await followed.next()).data.menuChanged.title).toBe('Before');
    const [, uuid] = Buffer.from(id, 'base64url').toString().split(':');
    if (how === 'expired')
      await here.database.psql`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE id = ${uuid ?? ''}`;
    else await there.ask(`mutation ($id: ID!) { revokeToken(id: $id) { __typename } }`, officer, { id });
    await saveMenu(key, 'After');
    const { data, errors } = await followed.next();
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await followed.completed).toBe(true);
    expect(followed.results).toHaveLength(2);
    await eventually(() => here.gateway.services.cache.feed.listeners === 0);
  });

  it('frees what it held when its client leaves, whether or not it was told anything', async () => {
    const { feed } = here.gateway.services.cache;
    const followers = await Promise.all(Array.from({ length: 10 }, () => menus(['left'])));
    await eventually(() => feed.listeners === 10);
    await saveMenu('left', 'Left');
    await followers[0]?.next();
    for (const followed of followers) followed.leave();
    await eventually(() => feed.listeners === 0);
  });

  it('frees what it held when its client leaves before it has opened', async () => {
    const { feed } = here.gateway.services.cache;
    for (const waitMs of [0, 1, 2, 4, 8, 16]) {
      const leaving = new AbortController();
      const url = `${here.url}/graphql?query=${encodeURIComponent('subscription { menuChanged { key } }')}`;
      const opening = fetch(url, { headers: { accept: 'text/event-stream' }, signal: leaving.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      leaving.abort();
      await opening;
    }
    await here.ask('{ viewer { subject } }');
    await new Promise((resolve) => setTimeout(resolve, 100)); // the server learns of it
    await eventually(() => feed.listeners === 0);
  });

  it('is kept open by comments, and never held back by a proxy', async () => {
    const followed = await menus(['quiet']);
    await eventually(() => followed.pings() >= 3);
    expect(followed.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(followed.headers.get('x-accel-buffering')).toBe('no');
  });
});

it('a gateway that stops ends its streams with a sentence, and at once', async () => {
  const third = await serveApi({ database: here.database });
  const followed = await third.follow('subscription { menuChanged { key } }');
  const startedMs = performance.now();
  await third.stop();
  expect(performance.now() - startedMs).toBeLessThan(4_500); // connections that do not end are cut after 5 s
  expect((await followed.next()).errors[0].extensions.code).toBe('UNAVAILABLE');
  expect(await followed.completed).toBe(true);
  await third.close();
});
