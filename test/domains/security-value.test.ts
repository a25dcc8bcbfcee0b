// What security values of all kinds promise: who may ask for them, how they are listed, and what reading them costs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { globalId } from '../../src/resolvers/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write', 'security:reveal'] };
const DAY_MS = 86_400_000;

let api: Api;
beforeAll(async () => {
  api = await startApi();
  const { errors } = await api.ask(
    `mutation {
      a: putParameter(name: "a/limit", parameter: 5, schema: { type: "integer" }) { __typename }
      b: changeSecurityList(name: "a/list", add: ["x", "y"]) { __typename }
      c: putSecret(name: "a/secret", value: "s", rotateEveryDays: 30) { __typename }
      d: putSecret(name: "a_b", value: "s") { __typename }
      e: putParameter(name: "b", parameter: { deep: [1] }) { __typename }
    }`,
    officer,
  );
  expect(errors).toEqual([]);
});
afterAll(() => api.close());

const list = async (variables: object, caller: object = officer) =>
  await api.ask(
    `query ($prefix: String, $kind: SecurityValueKind, $due: Boolean, $first: Int, $after: String) {
      securityValues(prefix: $prefix, kind: $kind, rotationDue: $due, first: $first, after: $after) {
        edges { cursor node { name kind parameter schema memberCount currentVersion rotationDue versions { number } version } }
        pageInfo { hasNextPage endCursor } } }`,
    caller,
    { ...variables },
  );

const namesOf = async (variables: object, caller: object = officer) =>
  (await list(variables, caller)).data.securityValues.edges.map(({ node }: { node: { name: string } }) => node.name);

describe('reading one', () => {
  const read = `query ($name: String!) { securityValue(name: $name) { id name kind parameter memberCount currentVersion } }`;

  it.each([
    ['a/limit', { kind: 'PARAMETER', parameter: 5, memberCount: null, currentVersion: null }],
    ['a/list', { kind: 'LIST', parameter: null, memberCount: 2, currentVersion: null }],
    ['a/secret', { kind: 'SECRET', parameter: null, memberCount: null, currentVersion: 1 }],
  ])('finds %s of its kind in one round-trip, and by its id', async (name, expected) => {
    const isWarm = async () => (await api.ask(read, officer, { name })).trace.every(({ outcome }) => outcome === 'HIT');
    await eventually(isWarm);
    api.events.length = 0;
    const { data, trace } = await api.ask(read, officer, { name });
    expect(data.securityValue).toEqual({ id: globalId('SecurityValue', name), name, ...expected });
    expect(api.events.filter(({ kind }) => kind === 'flush')).toHaveLength(1);
    expect(trace.map(({ outcome }) => outcome)).toEqual(['HIT', 'HIT', 'HIT']);
    const node = `query ($id: ID!) { node(id: $id) { ... on SecurityValue { name kind } } }`;
    const byId = await api.ask(node, officer, { id: data.securityValue.id });
    expect(byId.data.node).toEqual({ name, kind: expected.kind });
    expect((await api.ask(node, {}, { id: data.securityValue.id })).data.node).toBeNull();
  });

  it('answers null for what is not there, whatever it is called', async () => {
    for (const name of ['no-such-value', '', 'a b', 'x'.repeat(300), 'a\0', '\ud83d']) {
      expect((await api.ask(read, officer, { name })).data).toEqual({ securityValue: null });
    }
  });

  it('says when it was changed, and is never stale', async () => {
    const { data } = await api.ask(
      `{ securityValue(name: "a/list") { version updatedAt asOf stale rotationDue versions { number } } }`,
      officer,
    );
    expect(data.securityValue).toMatchObject({ stale: false, rotationDue: null, versions: [] });
    expect(data.securityValue.updatedAt).toBe(data.securityValue.asOf);
    expect(Math.abs(Date.parse(data.securityValue.asOf) - Date.now())).toBeLessThan(60_000);
  });
});

describe('listing', () => {
  it('shows all kinds by name, as reading them does, and says that it goes around the cache', async () => {
    const { data, trace } = await list({});
    const nodes = data.securityValues.edges.map(({ node }: { node: object }) => node);
    for (const node of nodes) {
      const { data: one } = await api.ask(
        `query ($name: String!) { securityValue(name: $name) {
          name kind parameter schema memberCount currentVersion rotationDue versions { number } version } }`,
        officer,
        { name: node.name },
      );
      expect(node).toEqual(one.securityValue);
    }
    expect(nodes).toHaveLength(5);
    expect(trace).toMatchObject([{ view: 'secret', key: 'securityValues', outcome: 'BYPASS' }]);
  });

  it('filters by prefix, taken letter by letter, and by kind', async () => {
    expect(await namesOf({ prefix: 'a/' })).toEqual(['a/limit', 'a/list', 'a/secret']);
    expect(await namesOf({ prefix: 'a_' })).toEqual(['a_b']);
    expect(await namesOf({ prefix: '%' })).toEqual([]);
    expect(await namesOf({ kind: 'SECRET' })).toEqual(['a_b', 'a/secret'].sort());
    expect(await namesOf({ kind: 'PARAMETER', prefix: 'b' })).toEqual(['b']);
  });

  it('finds the secrets whose rotation is due', async () => {
    expect(await namesOf({ due: true })).toEqual([]);
    const later = { ...officer, nowMs: Date.now() + 31 * DAY_MS };
    expect(await namesOf({ due: true }, later)).toEqual(['a/secret']);
    expect(await namesOf({ due: false }, later)).toHaveLength(4);
    await api.ask(`mutation { putSecret(name: "a/secret", value: "t") { __typename } }`, officer);
    expect(await namesOf({ due: true }, { ...officer, nowMs: Date.now() + 29 * DAY_MS })).toEqual([]);
  });

  it('goes page by page, each once, with cursors that fit no other question', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 5; pages++) {
      const { data } = await list({ first: 2, after });
      seen.push(...data.securityValues.edges.map(({ node }: { node: { name: string } }) => node.name));
      after = data.securityValues.pageInfo.endCursor;
      if (!data.securityValues.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(await namesOf({}));
    expect((await list({ after, kind: 'LIST' })).errors[0]?.code).toBe('BAD_REQUEST');
    expect((await list({ first: 0 })).errors[0]?.code).toBe('BAD_REQUEST');
  });
});

describe('without the scope', () => {
  it.each([
    ['securityValue(name: "a/limit") { name }', 'security:read'],
    ['securityValues { edges { cursor } }', 'security:read'],
    ['securityListContains(name: "a/list", members: ["x"])', 'security:read'],
  ])('%s is refused', async (field, scope) => {
    expect((await api.ask(`{ ${field} }`)).errors[0]?.code).toBe('UNAUTHENTICATED');
    const others = officer.scopes.filter((each) => each !== scope);
    expect((await api.ask(`{ ${field} }`, { scopes: others })).errors[0]?.code).toBe('FORBIDDEN');
  });

  it.each([
    ['putParameter(name: "b", parameter: 1)', 'security:write'],
    ['changeSecurityList(name: "a/list", add: ["z"])', 'security:write'],
    ['putSecret(name: "a/secret", value: "x")', 'security:write'],
    ['revealSecret(name: "a/secret", reason: "x")', 'security:reveal'],
  ])('%s is a ForbiddenError, and nothing happens', async (field, requiredScope) => {
    const caller = { scopes: officer.scopes.filter((scope) => scope !== requiredScope) };
    const [before] = await api.database.psql`SELECT count(*) FROM changes`;
    const { data } = await api.ask(`mutation { it: ${field} { ... on ForbiddenError { requiredScope } } }`, caller);
    expect(data.it).toEqual({ requiredScope });
    expect((await api.ask(`mutation { it: ${field} { __typename } }`)).errors[0]?.code).toBe('UNAUTHENTICATED');
    expect(await api.database.psql`SELECT count(*) FROM changes`).toEqual([before]);
  });
});
