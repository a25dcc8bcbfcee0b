// Every query and mutation, as nobody, as a reader and as an administrator, with values that nobody in good faith sends: while
// Redis is there, while it is frozen and after it was killed. Nothing that is secret shows in an answer, a log line or Redis.
import { setTimeout } from 'node:timers/promises';
import {
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SCOPES } from '../../src/resolvers/index.js';
import { schema } from '../../src/schema/index.js';
import { dumpOfRedis, placesOf } from '../domains/planted.js';
import { isBusy, type PlainAnswer, requireCoded, requireDecent } from '../fuzz/answer.js';
import { eventually } from '../support/eventually.js';
import { type HostileSite, KEYS, openHostileSite } from './gateway.js';

vi.setConfig({ testTimeout: 300_000 });

/** A caller who is told to try again does not do so at once. */
const AGAIN_AFTER_MS = 100;
const PLANTED = 'Ple4se-Do-Not-Show-Me-Anywhere-9137';

let site: HostileSite;
let administrator = '';
let said = '';
const secrets: Record<string, string> = {
  'the value of a secret': PLANTED,
  'the pepper': KEYS.pepper,
  'the master key': KEYS.masterKey,
};

beforeAll(async () => {
  site = await openHostileSite({ ESPELHO_DOCUMENTS: 'any', ESPELHO_RATE_ISSUE: '0', ESPELHO_RATE_REVEAL: '0' });
  const officer = site.tokens.get('security-officer');
  const issue =
    'mutation ($input: IssueTokenInput!) { issueToken(input: $input) { ... on IssueTokenPayload { secret } } }';
  const put = 'mutation ($value: String!) { putSecret(name: "planted", value: $value) { __typename } }';
  const input = { name: 'administrator', subject: 'administrator', scopes: [...SCOPES] };
  administrator = JSON.parse((await post(issue, { input }, officer)).body).data.issueToken.secret;
  expect((await post(put, { value: PLANTED }, officer)).body).toContain('PutSecretPayload');
  for (const [role, token] of site.tokens) secrets[`the token of ${role}`] = token;
  secrets['the token of the administrator'] = administrator;
});
afterAll(() => site?.close());

async function post(query: string, variables: object, token: string | undefined): Promise<PlainAnswer> {
  const response = await fetch(`${site.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, headers: new Map(response.headers), body: await response.text() };
}

/** What stands in the place of each string, each number, each JSON and each list. */
interface Values {
  readonly text: string;
  readonly number: unknown;
  readonly json: unknown;
  readonly list: (one: unknown) => unknown;
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const alone = (one: unknown) => [one];
const VALUES: Readonly<Record<string, Values>> = {
  'empty values': { text: '', number: 0, json: {}, list: () => [] },
  'half a character': { text: 'a\udfff', number: -1, json: [], list: alone },
  'a NUL': { text: 'a\0b', number: 1, json: { 'a\0': 1 }, list: alone },
  'names of prototypes': {
    text: '__proto__',
    number: 1,
    json: JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":1}}'),
    list: alone,
  },
  'words of SQL': {
    text: `'; DROP TABLE tokens; --`,
    number: 2 ** 31,
    json: '$1',
    list: (one) => Array(200).fill(one),
  },
  'ids of other kinds': {
    text: Buffer.from('SecurityValue:planted').toString('base64url'),
    number: -(2 ** 31),
    json: nested(40),
    list: alone,
  },
  'a long text': { text: 'x'.repeat(60_000), number: 1e300, json: 'x'.repeat(70_000), list: alone },
  'words of patterns': {
    text: '(a+)+$',
    number: 2,
    json: { $ref: '#', pattern: '(a|a)*$', if: [{ '>': [{ var: '' }, 1e308] }] },
    list: (one) => [one, null, [one]],
  },
  'a path': { text: '../../etc/passwd%00', number: 50, json: null, list: alone },
};

function valueFor(type: GraphQLInputType, values: Values, levels = 3): unknown {
  if (isNonNullType(type)) return valueFor(type.ofType, values, levels);
  if (isListType(type)) return values.list(valueFor(type.ofType, values, levels - 1));
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field) => levels > 0 || isNonNullType(field.type));
    return Object.fromEntries(fields.map((field) => [field.name, valueFor(field.type, values, levels - 1)]));
  }
  if (type.name === 'JSON') return values.json;
  if (type.name === 'Int' || type.name === 'Float') return values.number;
  if (type.name === 'Boolean') return false;
  if (type.name === 'Date') return '2026-01-01';
  if (type.name === 'DateTime') return '2026-01-01T00:00:00Z';
  return type.name === 'BigInt' ? String(values.number) : values.text;
}

const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({ root: type?.name.toLowerCase() ?? '', field })),
);

function operationOf(root: string, { name, args, type }: GraphQLField<unknown, unknown>): string {
  const heads = args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const below = isCompositeType(getNamedType(type)) ? '{ __typename ... on UserError { code message } }' : '';
  const selection = root === 'query' && below ? '{ __typename }' : below;
  return `${root} ${heads && `(${heads})`} { ${name}${given && `(${given})`} ${selection} }`;
}

/** What is not decent of the answers to every field, with each of `kinds` of values, for each caller. */
async function indecent(kinds: readonly string[], mayBeBusy: boolean): Promise<readonly string[]> {
  const failures: string[] = [];
  const callers = { nobody: undefined, 'a reader': site.tokens.get('frontend'), 'an administrator': administrator };
  for (const { root, field } of fields) {
    for (const kind of kinds) {
      const values = VALUES[kind];
      if (!values) throw new Error(`There are no values "${kind}".`);
      const variables = Object.fromEntries(field.args.map(({ name, type }) => [name, valueFor(type, values)]));
      const asked = Object.entries(callers).map(async ([caller, token]) => {
        try {
          let answer = await post(operationOf(root, field), variables, token);
          // Even with all that it needs, a gateway on a busy machine may say so for a while.
          for (let time = 1; isBusy(answer) && time < 50; time += 1) {
            if (mayBeBusy) return;
            await setTimeout(AGAIN_AFTER_MS);
            answer = await post(operationOf(root, field), variables, token);
          }
          said += answer.body;
          requireDecent(answer);
          requireCoded(answer);
        } catch (error) {
          failures.push(`${field.name} of ${caller} with ${kind}: ${String(error).slice(0, 500)}`);
        }
      });
      await Promise.all(asked);
    }
  }
  return failures;
}

it('answers or refuses, whatever the values', async () => {
  expect(await indecent(Object.keys(VALUES), false)).toEqual([]);
});

describe('without Redis', () => {
  const some = ['empty values', 'words of SQL'];

  it('answers, refuses, or says when to try again, while it is frozen', async () => {
    await site.redis.freeze();
    try {
      expect(await indecent(some, true)).toEqual([]);
    } finally {
      await site.redis.thaw();
    }
  });

  it('and after it was killed, and when it is back', async () => {
    await site.redis.kill();
    expect(await indecent(some, true)).toEqual([]);
    await site.redis.restart('empty');
    await eventually(async () => (await (await fetch(`${site.url}/readyz`)).text()).includes('trusted'), 60_000);
    expect(await indecent(some, false)).toEqual([]);
  });
});

describe('tokens that hold nothing', () => {
  it.each(['garbage', `esp_${'A'.repeat(49)}`, 'expired', 'revoked'])('%s: 401 for every field', async (kind) => {
    const issue =
      'mutation ($input: IssueTokenInput!) { issueToken(input: $input) { ... on IssueTokenPayload { secret token { id } } } }';
    let token = kind;
    if (kind === 'expired' || kind === 'revoked') {
      const { issueToken } = JSON.parse(
        (await post(issue, { input: { name: kind, subject: kind, scopes: ['security:write'] } }, administrator)).body,
      ).data;
      token = issueToken.secret;
      secrets[`the token that is ${kind}`] = token;
      if (kind === 'expired')
        await site.database.psql`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE name = 'expired'`;
      else
        await post(
          'mutation ($id: ID!) { revokeToken(id: $id) { __typename } }',
          { id: issueToken.token.id },
          administrator,
        );
      await eventually(async () => (await post('{ __typename }', {}, token)).status === 401);
    }
    for (const { root, field } of fields) {
      const { status, body } = await post(operationOf(root, field), {}, token);
      expect([field.name, status, JSON.parse(body).errors[0].extensions.code]).toEqual([
        field.name,
        401,
        'UNAUTHENTICATED',
      ]);
    }
  });
});

it('shows no secret in answers, log lines or Redis, and met no failure of its own', async () => {
  const redis = await dumpOfRedis(site.redis.cli);
  const { log, isAlive } = site;
  expect(placesOf(secrets, [{ place: 'answers', text: said }, { place: 'log', text: log() }, ...redis])).toEqual([]);
  expect(log()).not.toContain('"failed"');
  expect(isAlive()).toBe(true);
});
