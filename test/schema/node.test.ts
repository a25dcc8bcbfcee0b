// Relay: whatever has a global id is read by it, and by nobody who may not.
import { randomUUID } from 'node:crypto';
import { isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '../../src/resolvers/index.js';
import { schema } from '../../src/schema/index.js';
import { run } from '../domains/mutation-cases.js';
import { type Api, type Caller, startApi } from '../support/api.js';

const node = schema.getType('Node');
const types = (isInterfaceType(node) ? schema.getPossibleTypes(node) : []).map(({ name }) => name).sort();

let api: Api;
/** An id of each type. */
const ids = new Map<string, string>();
const all = { subject: 'officer', scopes: SCOPES };

beforeAll(async () => {
  api = await startApi();
  const key = `n-${randomUUID()}`;
  const { menu, receipt } = await run(api, ['saveMenu', { input: { key, title: 'T', items: [] } }]);
  const { account } = await run(api, ['openAccount', { number: key, holder: 'ana', currency: 'BRL', timeZone: 'UTC' }]);
  const date = '2026-03-02';
  const lines = [{ externalId: 'a', minor: '1', description: 'd' }];
  await run(api, ['postTransactions', { account: key, date, lines }]);
  const { statement } = await run(api, ['closeBusinessDay', { account: key, date }]);
  const { token } = await run(api, ['issueToken', { input: { name: key, subject: key, scopes: ['menus:read'] } }]);
  const { environment } = await run(api, ['saveEnvironment', { key, public: false }]);
  const definition = { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' };
  const { flag } = await run(api, ['saveFlag', { input: { environment: key, key: 'f', enabled: true, definition } }]);
  const { securityValue } = await run(api, ['putParameter', { name: key, parameter: 1 }]);
  const { data } = await api.ask(
    `query ($key: String!) { statement(account: $key) { lines { edges { node { id } } } } }`,
    all,
    { key },
  );
  const transaction = data.statement.lines.edges[0].node;
  const made = { Menu: menu, Account: account, Statement: statement, Transaction: transaction, Token: token };
  const others = {
    Environment: environment,
    Flag: flag,
    SecurityValue: securityValue,
    Change: { id: receipt.changeId },
  };
  for (const [type, { id }] of Object.entries({ ...made, ...others })) ids.set(type, id);
});
afterAll(() => api.close());

const nodes = async (asked: readonly string[], caller: Caller = all) =>
  api.ask(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`, caller, { ids: asked });

it('every type with an id is a node: any other has none', () => {
  const withId = Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__') && 'id' in type.getFields())
    .map(({ name }) => name);
  expect(withId.sort()).toEqual(types);
});

describe('node', () => {
  it.each(types)('reads a %s by its id', async (type) => {
    const id = ids.get(type);
    if (id === undefined) throw new Error(`No ${type} was made: add one above.`);
    const { data, errors } = await api.ask(`query ($id: ID!) { node(id: $id) { __typename id } }`, all, { id });
    expect([data, errors]).toEqual([{ node: { __typename: type, id } }, []]);
  });

  it('shows nobody without a token anything but what is public', async () => {
    const { data, errors } = await nodes([...ids.values()], {});
    expect(errors).toEqual([]);
    expect(data.nodes.filter((found: object | null) => found !== null)).toEqual([
      { __typename: 'Menu', id: ids.get('Menu') },
    ]);
  });
});

describe('nodes', () => {
  it('keeps the order, gives null for what is not there, and refuses what is no id', async () => {
    const [menu, flag] = [ids.get('Menu') ?? '', ids.get('Flag') ?? ''];
    const missing = Buffer.from('Menu:nowhere:en').toString('base64url');
    const { data } = await nodes([flag, missing, menu, flag]);
    expect(data.nodes.map((found: { id: string } | null) => found?.id)).toEqual([flag, undefined, menu, flag]);
    for (const id of ['', 'x', '%', Buffer.from('Nothing:1').toString('base64url'), `${menu}=`]) {
      expect((await nodes([id])).errors.map(({ code }) => code)).toEqual(['BAD_REQUEST']);
    }
  });

  it.each(types)('takes any key in an id of a %s for one that is not there', async (type) => {
    const keys = [
      '',
      '\u0000',
      '/',
      ':',
      '::',
      '../..',
      'a'.repeat(5_000),
      "';--",
      'x/2026-02-30',
      'x/2026-03-02:1:99999999999',
      '\ufffd',
    ];
    const { data, errors } = await nodes(keys.map((key) => Buffer.from(`${type}:${key}`).toString('base64url')));
    const codes = errors.map(({ code }) => code);
    expect(codes.filter((code) => code !== 'BAD_REQUEST')).toEqual([]);
    if (codes.length === 0) expect(data.nodes.filter((found: unknown) => found !== null)).toEqual([]);
  });

  it('takes at most 100 ids', async () => {
    const id = ids.get('Menu') ?? '';
    expect((await nodes(Array.from({ length: 100 }, () => id))).data.nodes).toHaveLength(100);
    expect((await nodes(Array.from({ length: 101 }, () => id))).errors.map(({ code }) => code)).toEqual([
      'BAD_REQUEST',
    ]);
  });
});
