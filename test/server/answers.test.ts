// Answers that are given again: only to the request that they were given to, only while everything stands that they
// were made from, and never otherwise than the ordinary way would answer.

import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  changeSecurityList,
  contextOfViewer,
  evaluateFlags,
  globalId,
  issueToken,
  putSecret,
  revokeToken,
  SCOPES,
  saveEnvironment,
  saveFlag,
  toggleFlag,
} from '../../src/resolvers/index.js';
import { eventually } from '../support/eventually.js';
import { type Served, serveApi } from '../support/served.js';

const MENU = '{ menu(key: "main") { title itemCount items { key children { key } } } }';

let one: Served;
let other: Served;
let token: string;
let tokenId: string;

const admin = (served = one) =>
  contextOfViewer(served.gateway.services, { subject: 'admin', scopes: new Set(SCOPES), tokenId: null });

const post = (query: string, { by, headers = {}, served = one, variables }: Asked = {}) =>
  fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(by && { authorization: `Bearer ${by}` }),
      ...headers,
    },
    body: JSON.stringify({ query, ...(variables && { variables }) }),
  });

interface Asked {
  readonly by?: string;
  readonly headers?: Record<string, string>;
  readonly served?: Served;
  readonly variables?: object;
}

const stood = (served = one) => served.gateway.services.cache.status().answers.stood;

/** Whether the answer to this was one given before. */
async function isRepeated(query: string, asked: Asked = {}): Promise<boolean> {
  const before = stood(asked.served);
  const response = await post(query, asked);
  expect(response.status).toBe(200);
  await response.text();
  return stood(asked.served) > before;
}

/** Asks until the answer is one that is given again. */
const kept = (query: string, asked: Asked = {}) => eventually(() => isRepeated(query, asked));

/** The data, by the short way if there is one. */
async function dataOf(query: string, asked: Asked = {}) {
  const { data } = await (await post(query, asked)).json();
  return data;
}

async function saveMenu(title: string, served = one, items: readonly object[] = [{ key: 'a', label: 'A' }]) {
  const { data } = await served.ask(
    `mutation ($input: SaveMenuInput!) {
      saveMenu(input: $input) { ... on SaveMenuPayload { receipt { visible } } ... on UserError { message } } }`,
    { scopes: [...SCOPES] },
    { input: { key: 'main', title, items } },
  );
  expect(data.saveMenu).toEqual({ receipt: { visible: true } });
}

/** Those that are ours. */
const triggersOf = async (table: string): Promise<string[]> => {
  const rows = await one.database.psql`SELECT quote_ident(tgname) AS name FROM pg_trigger
    WHERE tgrelid = ${table}::regclass AND NOT tgisinternal`;
  return rows.map(({ name }) => String(name));
};

async function saveFlags() {
  await saveEnvironment(admin(), { key: 'prod', public: true });
  const variants = { on: true, off: false };
  const timed = { if: [{ '>': [{ var: '$flagd.timestamp' }, 0] }, 'on', 'off'] };
  const definitions = {
    plain: { state: 'ENABLED', variants, defaultVariant: 'on' },
    timed: { state: 'ENABLED', variants, defaultVariant: 'off', targeting: timed },
  };
  for (const [key, definition] of Object.entries(definitions)) {
    await saveFlag(admin(), { environment: 'prod', key, enabled: true, definition });
  }
}

const fragments = [
  'main: menu(key: "main") { title version items { key label depth children { key } } flatItems { key } }',
  'none: menu(key: "none") { title }',
  'german: menu(key: "main", locale: "de-AT") { key locale itemCount }',
  'viewer { subject scopes }',
  'flags: evaluateFlags(environment: "prod", context: {}) { key value reason variant }',
  'flag: evaluateFlag(environment: "prod", key: "plain", context: {}) { value version }',
  'strange: evaluateFlag(environment: "prod", key: "none", context: {}, default: 7) { value errorCode }',
  'account(number: "none") { currency }',
];

/** Answers at hand, and in a room where none can be so: each is packed and unpacked. */
const ROOMS = [
  ['at hand', 16_000_000],
  ['packed', 16_000],
] as const;

describe.each(ROOMS)('%s', (_, answersBytes) => {
  beforeAll(async () => {
    one = await serveApi({ answersBytes });
    other = await serveApi({ database: one.database, answersBytes });
    await saveMenu('Main');
    await saveFlags();
  });
  afterAll(async () => {
    await other.close();
    await one.close();
  });
  beforeEach(async () => {
    const issued = await issueToken(admin(), { name: 'test', subject: 'ana', scopes: [...SCOPES] });
    token = issued.secret;
    tokenId = issued.token.value.id;
  });

  describe('an answer is given again', () => {
    it('to the request that it was given to, byte for byte and with the same headers, under an id of its own', async () => {
      await kept(MENU);
      const [again, anew] = [
        await post(MENU),
        await post(MENU, { headers: { accept: 'application/json, */*;q=0.1' } }),
      ];
      expect(await again.text()).toBe(await anew.text());
      const { 'x-request-id': id, date: _, ...headers } = Object.fromEntries(again.headers);
      const { 'x-request-id': otherId, date: __, ...expected } = Object.fromEntries(anew.headers);
      expect(headers).toEqual({ ...expected, 'content-length': headers['content-length'] });
      expect(id).not.toBe(otherId);
    });

    it('from the second time on, though the first had to ask SQL', async () => {
      const { cache } = one.gateway.services;
      await kept(MENU);
      const expected = await (await post(MENU)).text();
      await cache.purge('menu', ['main:en']);
      const filled = new Promise((resolve) => {
        const off = cache.events.on(({ kind }) => {
          if (kind !== 'filled') return;
          off();
          setImmediate(resolve); // by then whoever has waited for it has gone on
        });
      });
      expect(await isRepeated(MENU)).toBe(false);
      await filled;
      expect(await isRepeated(MENU)).toBe(true);
      expect(await (await post(MENU)).text()).toBe(expected);
    });

    it('until a write is acknowledged, by whatever gateway', async () => {
      for (const [at, served] of [one, other, one, other].entries()) {
        await kept(MENU);
        await kept(MENU, { served: other });
        await saveMenu(`Title ${at}`, served);
        expect((await dataOf(MENU)).menu.title).toBe(`Title ${at}`);
        expect((await dataOf(MENU, { served: other })).menu.title).toBe(`Title ${at}`);
      }
    });

    it('to no other caller, and not for other variables', async () => {
      const query = 'query ($key: String!) { viewer { subject } menu(key: $key) { title } }';
      const asked = { by: token, variables: { key: 'main' } };
      await kept(query, asked);
      expect(await dataOf(query, { variables: { key: 'main' } })).toMatchObject({ viewer: { subject: null } });
      expect(await dataOf(query, { by: token, variables: { key: 'none' } })).toMatchObject({ menu: null });
      expect(await dataOf(query, asked)).toMatchObject({ viewer: { subject: 'ana' }, menu: {} });
    });

    it('no more once the token of its caller is revoked, by whatever gateway', async () => {
      await kept(MENU, { by: token });
      expect((await revokeToken(admin(other), globalId('Token', tokenId))).receipt.visible).toBe(true);
      expect((await post(MENU, { by: token })).status).toBe(401);
    });

    it('and tells of a token what introspection tells, until it is revoked', async () => {
      const { secret, token: seen } = await issueToken(admin(), {
        name: 'seen',
        subject: 'eva',
        scopes: ['menus:read'],
      });
      const query = 'query ($token: String!) { introspectToken(token: $token) { active } }';
      const asked = { by: token, variables: { token: secret } };
      await kept(query, asked);
      expect((await dataOf(query, asked)).introspectToken).toEqual({ active: true });
      await revokeToken(admin(other), globalId('Token', seen.value.id));
      expect((await dataOf(query, asked)).introspectToken).toEqual({ active: false });
    });

    it('of flags, until one is switched', async () => {
      const query = '{ evaluateFlags(environment: "prod", context: {}, keys: ["plain"]) { key value reason } }';
      await kept(query);
      await toggleFlag(admin(other), { environment: 'prod', key: 'plain', enabled: false });
      expect((await dataOf(query)).evaluateFlags).toMatchObject([{ reason: 'DISABLED' }]);
      await toggleFlag(admin(other), { environment: 'prod', key: 'plain', enabled: true });
      expect((await dataOf(query)).evaluateFlags).toMatchObject([{ value: true }]);
    });

    it('of flags that ask for the time for no longer than a second', async () => {
      const query = '{ evaluateFlags(environment: "prod", context: {}, keys: ["timed"]) { key value } }';
      const { services } = one.gateway;
      const ctx = contextOfViewer(services, { subject: null, scopes: new Set(), tokenId: null });
      expect((await dataOf(query)).evaluateFlags).toEqual([{ key: 'timed', value: true }]);
      await evaluateFlags(ctx, { environment: 'prod', keys: ['timed'] });
      const { fromMs = 0, untilMs = Number.POSITIVE_INFINITY } = ctx.repetition.terms ?? {};
      expect(untilMs - fromMs).toBeLessThanOrEqual(1_000);
      expect(untilMs % 1_000).toBe(0);
    });

    it('of a menu until the next of its windows opens, by the clock', async () => {
      const { services } = one.gateway;
      const opensAt = Date.now() + 3_600_000;
      const later = { key: 'later', label: 'L', visibleFrom: new Date(opensAt).toISOString() };
      await saveMenu('Windows', one, [{ key: 'a', label: 'A' }, later]);
      await kept(MENU);
      const { now } = services;
      try {
        Object.assign(services, { now: () => opensAt - 1 });
        expect((await dataOf(MENU)).menu.itemCount).toBe(1);
        Object.assign(services, { now: () => opensAt });
        expect((await dataOf(MENU)).menu.itemCount).toBe(2);
        await kept(MENU);
        Object.assign(services, { now: () => opensAt - 1 });
        expect((await dataOf(MENU)).menu.itemCount).toBe(1);
      } finally {
        Object.assign(services, { now });
        await saveMenu('Main');
      }
    });

    it('to the bearer of a token until it expires, by the clock', async () => {
      const { services } = one.gateway;
      const { now } = services;
      const expiresAt = new Date(Date.now() + 60_000);
      const { secret } = await issueToken(admin(), {
        name: 'short',
        subject: 'eva',
        scopes: ['menus:read'],
        expiresAt,
      });
      await kept(MENU, { by: secret });
      try {
        Object.assign(services, { now: () => expiresAt.getTime() });
        expect((await post(MENU, { by: secret })).status).toBe(401);
      } finally {
        Object.assign(services, { now });
      }
    });

    it('of what is in a list, until that is changed, or its networks get other lengths', async () => {
      const change = (name: string, add: string[], remove: string[] = []) =>
        changeSecurityList(admin(other), { name, add, remove });
      const query =
        'query ($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }';
      const cases = [
        { name: 'deny', first: 'ana', second: 'eva', asked: ['ana', 'eva'] },
        { name: 'nets', first: '192.0.2.0/24', second: '198.51.100.0/25', asked: ['192.0.2.7', '198.51.100.7'] },
      ];
      for (const { name, first, second, asked } of cases) {
        await change(name, [first]);
        const question = { by: token, variables: { name, members: asked } };
        await kept(query, question);
        expect((await dataOf(query, question)).securityListContains).toEqual([true, false]);
        await change(name, [second], [first]);
        expect((await dataOf(query, question)).securityListContains).toEqual([false, true]);
        await kept(query, question);
      }
    });

    it('of an entry that an operator purges no more, whatever its version', async () => {
      const { database, gateway } = one;
      await kept(MENU);
      await database.psql`ALTER TABLE menus DISABLE TRIGGER USER`;
      try {
        await database.psql`UPDATE menus SET title = 'Behind the log' WHERE key = 'main'`;
      } finally {
        for (const trigger of await triggersOf('menus')) {
          await database.psql.unsafe(`ALTER TABLE menus ENABLE ALWAYS TRIGGER ${trigger}`);
        }
      }
      await gateway.services.cache.purge('menu', ['main:en']);
      expect((await dataOf(MENU)).menu.title).toBe('Behind the log');
      await saveMenu('Main');
    });

    it('of a secret without its value, which is revealed each time, and each time audited', async () => {
      const value = 'a value that nobody may keep';
      await putSecret(admin(), { name: 'kept/secret', value });
      const query = '{ securityValue(name: "kept/secret") { kind currentVersion version } }';
      await kept(query, { by: token });
      const reveal = `mutation { revealSecret(name: "kept/secret", reason: "test") {
      ... on RevealSecretPayload { value changeId } } }`;
      const [first, second] = [await dataOf(reveal, { by: token }), await dataOf(reveal, { by: token })];
      expect([first.revealSecret.value, second.revealSecret.value]).toEqual([value, value]);
      expect(first.revealSecret.changeId).not.toBe(second.revealSecret.changeId);
      await putSecret(admin(other), { name: 'kept/secret', value: 'another' });
      expect((await dataOf(query, { by: token })).securityValue.currentVersion).toBe(2);
    });

    it('and counts as a use of the token', async () => {
      const query = '{ evaluateFlags(environment: "prod", context: {}, keys: ["plain"]) { key } }';
      await kept(query, { by: token });
      const noted: string[] = [];
      const { tokenUses } = one.gateway.services;
      const { note } = tokenUses;
      tokenUses.note = (id) => void noted.push(id);
      await eventually(() => {
        noted.length = 0;
        return isRepeated(query, { by: token });
      });
      tokenUses.note = note;
      expect(noted).toEqual([tokenId]);
    });
  });

  describe('what is never given again', () => {
    it.each([
      ['what is listed from SQL', '{ menuList { edges { cursor } } }'],
      ['counters', '{ cacheStatus { hits } menu(key: "main") { title } }'],
      ['when a token was last used', '{ viewer { tokenId } tokens { edges { node { lastUsedAt } } } }'],
      ['the schema', '{ __schema { queryType { name } } menu(key: "main") { title } }'],
      ['what rests on nothing', '{ __typename }'],
    ])('%s', async (_, query) => {
      const asked = { by: query === '{ __typename }' ? undefined : token };
      for (let time = 0; time < 3; time++)
        expect(await isRepeated(query, asked.by ? { by: asked.by } : {})).toBe(false);
    });

    it('an answer with an error', async () => {
      const query = '{ menu(key: "main") { title } statement(account: "none", date: "2026-13-45") { date } }';
      for (let time = 0; time < 3; time++) {
        const before = stood();
        const { errors } = await (await post(query, { by: token })).json();
        expect(errors).toHaveLength(1);
        expect(stood()).toBe(before);
      }
    });

    it('a mutation', async () => {
      const query = `mutation { saveMenu(input: { key: "twice", title: "T", items: [] }) {
      ... on SaveMenuPayload { receipt { changeId } } } }`;
      const [first, second] = [await dataOf(query, { by: token }), await dataOf(query, { by: token })];
      expect(first.saveMenu.receipt.changeId).not.toBe(second.saveMenu.receipt.changeId);
    });

    it('to who asks where an answer comes from', async () => {
      await kept(MENU);
      expect(await isRepeated(MENU, { headers: { 'x-cache-trace': '1' } })).toBe(false);
      const traced = await (await post(MENU, { headers: { 'x-cache-trace': '1' } })).json();
      expect(traced.extensions.cache).toMatchObject([{ view: 'menu', outcome: 'HIT' }]);
    });
  });

  it('any query is answered the second and third time as the ordinary way answers it', async () => {
    const before = stood();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...fragments), { minLength: 1 }),
        fc.boolean(),
        async (some, known) => {
          const query = `{ ${some.join(' ')} }`;
          const asked: Asked = known ? { by: token } : {};
          const answers = [await post(query, asked), await post(query, asked), await post(query, asked)];
          // A name that is ignored makes it another request, which was not answered before.
          const anew = await post(`${query} # ${Math.random()}`, asked);
          const expected = await anew.text();
          for (const answer of answers) {
            expect(answer.status).toBe(anew.status);
            expect((await answer.text()).replaceAll(/"requestId":"[^"]*"/g, '')).toBe(
              expected.replaceAll(/"requestId":"[^"]*"/g, ''),
            );
          }
        },
      ),
      { numRuns: 25 },
    );
    expect(stood()).toBeGreaterThan(before);
  });
});
