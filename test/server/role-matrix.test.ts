// Who may ask for what: every query, mutation and subscription, as nobody, with tokens that hold nothing, and with the
// token of every role. The table below is the specification; a new field needs a line in it.
import {
  type GraphQLArgument,
  type GraphQLInputType,
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import { type Context, issueDemoTokens } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { type Gateway, startEdgeOf } from './gateway.js';

const STATEMENTS = ['frontend', 'back-office'];
const BACK_OFFICE = ['back-office'];
const SECURITY = ['security-officer'];
const OPERATOR = ['operator'];

/** Fields that everybody may ask for, and who may ask for the others. */
const ALLOWED: Readonly<Record<string, 'everybody' | readonly string[]>> = {
  'Query.account': STATEMENTS,
  'Query.accounts': STATEMENTS,
  'Query.cacheEntry': OPERATOR,
  'Query.cachePolicies': OPERATOR,
  'Query.cacheStatus': OPERATOR,
  'Query.changes': OPERATOR,
  'Query.environments': 'everybody',
  'Query.evaluateFlag': 'everybody',
  'Query.evaluateFlags': 'everybody',
  'Query.flag': BACK_OFFICE,
  'Query.flags': BACK_OFFICE,
  'Query.introspectToken': SECURITY,
  'Query.menu': 'everybody',
  'Query.menuDefinition': BACK_OFFICE,
  'Query.menuList': 'everybody',
  'Query.menus': 'everybody',
  'Query.node': 'everybody',
  'Query.nodes': 'everybody',
  'Query.securityListContains': SECURITY,
  'Query.securityValue': SECURITY,
  'Query.securityValues': SECURITY,
  'Query.staleFlags': BACK_OFFICE,
  'Query.statement': STATEMENTS,
  'Query.token': SECURITY,
  'Query.tokens': SECURITY,
  'Query.viewer': 'everybody',
  'Mutation.archiveFlag': BACK_OFFICE,
  'Mutation.changeSecurityList': SECURITY,
  'Mutation.closeBusinessDay': BACK_OFFICE,
  'Mutation.copyEnvironment': BACK_OFFICE,
  'Mutation.deleteMenu': BACK_OFFICE,
  'Mutation.destroySecretVersion': SECURITY,
  'Mutation.issueToken': SECURITY,
  'Mutation.moveMenuItem': BACK_OFFICE,
  'Mutation.openAccount': BACK_OFFICE,
  'Mutation.postTransactions': BACK_OFFICE,
  'Mutation.promoteFlag': BACK_OFFICE,
  'Mutation.purgeCache': OPERATOR,
  'Mutation.putParameter': SECURITY,
  'Mutation.putSecret': SECURITY,
  'Mutation.refreshCache': OPERATOR,
  'Mutation.renameMenuItem': BACK_OFFICE,
  'Mutation.restateBusinessDay': BACK_OFFICE,
  'Mutation.restoreSecret': SECURITY,
  'Mutation.revealSecret': SECURITY,
  'Mutation.revokeToken': SECURITY,
  'Mutation.revokeTokensOf': SECURITY,
  'Mutation.rotateSecret': SECURITY,
  'Mutation.rotateToken': SECURITY,
  'Mutation.saveEnvironment': BACK_OFFICE,
  'Mutation.saveFlag': BACK_OFFICE,
  'Mutation.saveMenu': BACK_OFFICE,
  'Mutation.setCachePolicy': OPERATOR,
  'Mutation.toggleFlag': BACK_OFFICE,
  'Subscription.flagsChanged': 'everybody',
  'Subscription.menuChanged': 'everybody',
  'Subscription.statementReady': STATEMENTS,
};

const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({
    name: `${type?.name}.${field.name}`,
    root: type?.name,
    field,
  })),
);

let redis: RedisServer;
let api: Api;
let gateway: Gateway;
let roles: ReadonlyMap<string, string>;
/** Tokens that hold nothing. */
const invalid = new Map([
  ['garbage', 'garbage'],
  ['unknown', `esp_${'A'.repeat(49)}`],
]);

beforeAll(async () => {
  redis = await startRedisServer();
  api = await startApi({ redisUrl: redis.url });
  gateway = await startEdgeOf<Context>({ schema, contextOf: api.gateway.contextOf, traceOf, codedError });
  roles = await issueDemoTokens(api.gateway.services);
  for (const state of ['expired', 'revoked']) invalid.set(state, await issue(state));
  await api.database.psql`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE name = 'expired'`;
  const [row] = await api.database.psql`SELECT id FROM tokens WHERE name = 'revoked'`;
  const id = Buffer.from(`Token:${row?.id}`).toString('base64url');
  const revoked = await api.ask(
    'mutation ($id: ID!) { revokeToken(id: $id) { __typename } }',
    { subject: 'officer', scopes: ['tokens:write'] },
    { id },
  );
  expect(revoked.data.revokeToken.__typename).toBe('RevokeTokenPayload');
  await eventually(async () => (await gateway.query('{ __typename }', bearing(invalid.get('expired')))).status === 401);
});
afterAll(async () => {
  await gateway?.close();
  await api?.close();
  await redis?.close();
});

async function issue(name: string): Promise<string> {
  const { data } = await api.ask(
    `mutation ($input: IssueTokenInput!) { issueToken(input: $input) { ... on IssueTokenPayload { secret } } }`,
    { subject: 'officer', scopes: ['tokens:write', 'tokens:grant'] },
    { input: { name, subject: name, scopes: ['menus:write', 'security:write'] } },
  );
  return data.issueToken.secret;
}

const bearing = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

interface Verdict {
  readonly status: number;
  readonly codes: readonly unknown[];
}

interface Reply {
  readonly data?: Readonly<Record<string, { readonly code?: string } | null>> | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } }[];
}

/** A mutation tells of a refusal in its result. */
const below = (root: string | undefined) =>
  root === 'Mutation' ? '{ __typename ... on UserError { code } }' : '{ __typename }';

/** What a caller is told who asks for one field, with as little as it takes; of a stream its first event, if he listens. */
async function ask(
  { root, field }: (typeof fields)[number],
  token: string | undefined,
  listens = true,
): Promise<Verdict> {
  const args = field.args.filter(isRequired).map(({ name, type }) => `${name}: ${literal(type)}`);
  const selection = isCompositeType(getNamedType(field.type)) ? below(root) : '';
  const query = `${root?.toLowerCase()} { ${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${selection} }`;
  const isStream = root === 'Subscription';
  const accept = isStream ? 'text/event-stream' : 'application/json';
  const response = await gateway.post({ query }, { ...bearing(token), accept });
  if (isStream && response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return { status: response.status, codes: listens ? await firstCodes(response) : await leave(response) };
  }
  const { data, errors = [] } = (await response.json()) as Reply;
  const typed = Object.values(data ?? {}).flatMap((value) => value?.code ?? []);
  return { status: response.status, codes: [...errors.map(({ extensions }) => extensions?.code), ...typed] };
}

/** Codes of the first event, for which a caller who is let in might wait for long. */
async function firstCodes(response: Response): Promise<readonly string[]> {
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return [
    ...Buffer.from(first?.value ?? [])
      .toString()
      .matchAll(/"code":"(\w+)"/g),
  ].map(([, code = '']) => code);
}

async function leave(response: Response): Promise<readonly string[]> {
  await response.body?.cancel();
  return [];
}

const isRequired = ({ type, defaultValue }: GraphQLArgument) => isNonNullType(type) && defaultValue === undefined;

function literal(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(type.ofType);
  if (isListType(type)) return `[${literal(type.ofType)}]`;
  if (isInputObjectType(type)) {
    const given = Object.values(type.getFields()).filter(({ type }) => isNonNullType(type));
    return `{ ${given.map(({ name, type }) => `${name}: ${literal(type)}`).join(', ')} }`;
  }
  const literals: Record<string, string> = {
    Int: '1',
    Boolean: 'true',
    Date: '"2026-01-01"',
    JSON: '{}',
    BigInt: '"1"',
  };
  return literals[type.name] ?? '"no-such-thing"';
}

const REFUSED = ['UNAUTHENTICATED', 'FORBIDDEN'];

/** Fields that were answered to somebody who must not have them, or refused to somebody who must. */
async function wrong(token: string | undefined, role: string | undefined): Promise<string[]> {
  const failures: string[] = [];
  for (const each of fields) {
    const allowed = ALLOWED[each.name];
    const expected =
      allowed === 'everybody' || (role !== undefined && allowed?.includes(role))
        ? undefined
        : role
          ? 'FORBIDDEN'
          : 'UNAUTHENTICATED';
    const { status, codes } = await ask(each, token, expected !== undefined);
    const refused = codes.find((code) => REFUSED.includes(String(code)));
    if (refused !== expected || status >= 500) failures.push(`${each.name}: ${status} ${codes.join(' ')}`);
  }
  return failures;
}

it('names every field of the schema, and no other', () => {
  expect(Object.keys(ALLOWED).sort()).toEqual(fields.map(({ name }) => name).sort());
});

describe.each(['while Redis is there', 'while Redis is away'])('%s', (when) => {
  beforeAll(async () => {
    if (when === 'while Redis is there') return;
    await redis.kill();
    await eventually(() => !api.gateway.services.cache.status().trusted);
  });

  it('nobody gets what is public, and is told that the rest takes a token', async () => {
    expect(await wrong(undefined, undefined)).toEqual([]);
  });

  it.each([
    'garbage',
    'unknown',
    'expired',
    'revoked',
  ])('a token that is %s gets nothing, public fields neither', async (kind) => {
    for (const each of fields) {
      expect(await ask(each, invalid.get(kind)), each.name).toEqual({ status: 401, codes: ['UNAUTHENTICATED'] });
    }
  });

  it.each([
    'frontend',
    'back-office',
    'security-officer',
    'operator',
  ])('%s gets what is public and what the role may, no more', async (role) => {
    const failures = await wrong(roles.get(role), role);
    // A mutation that cannot be confirmed is refused as such, whoever asks for it.
    const unconfirmed = (failure: string) =>
      when === 'while Redis is away' && / 503 (CACHE_UNREACHABLE|UNAVAILABLE)$/.test(failure);
    expect(failures.filter((failure) => !unconfirmed(failure))).toEqual([]);
  });
});
