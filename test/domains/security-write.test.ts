// What mutations of parameters and lists promise beside their own rules: stale versions, dry runs, repetition, two
// gateways at once, and input that nobody should send.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write'] };

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi({ database: api.database });
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const MEMBERS = `__typename ... on UserError { code message path } ... on ConflictError { currentVersion }`;
const RECEIPT = 'receipt { version visible dryRun changeId }';
const DOCUMENTS = {
  putParameter: `mutation ($name: String!, $parameter: JSON!, $schema: JSON, $options: WriteOptions) {
    putParameter(name: $name, parameter: $parameter, schema: $schema, options: $options) { ${MEMBERS}
      ... on PutParameterPayload { ${RECEIPT} securityValue { kind parameter schema version updatedAt } } } }`,
  changeSecurityList: `mutation ($name: String!, $add: [String!], $remove: [String!], $kind: SecurityListKind, $options: WriteOptions) {
    changeSecurityList(name: $name, add: $add, remove: $remove, kind: $kind, options: $options) { ${MEMBERS}
      ... on ChangeSecurityListPayload { ${RECEIPT} added removed securityValue { kind memberCount listKind version updatedAt } } } }`,
};
type Mutation = keyof typeof DOCUMENTS;

const run = async (mutation: Mutation, variables: Record<string, unknown>, gateway = api) => {
  const { data, errors } = await gateway.ask(DOCUMENTS[mutation], officer, variables);
  expect(errors).toEqual([]);
  return data[mutation];
};

const facts = async (name: string) => ({
  value: await api.database.psql`SELECT kind, parameter, schema, list_kind FROM security_values WHERE name = ${name}`,
  members: await api.database.psql`SELECT member FROM security_list_members WHERE name = ${name} ORDER BY member`,
  changes: await api.database.psql`SELECT count(*)::int AS count FROM changes WHERE key = ${name}`,
});

const versionOf = async (name: string): Promise<string> =>
  (await api.ask(`query ($name: String!) { securityValue(name: $name) { version } }`, officer, { name })).data
    .securityValue.version;

const cases: [string, Mutation, object, object][] = [
  ['putParameter', 'putParameter', { parameter: { at: 1 } }, { parameter: { at: 2 } }],
  ['changeSecurityList of texts', 'changeSecurityList', { add: ['a', 'b'] }, { add: ['c'], remove: ['a'] }],
  [
    'changeSecurityList of addresses',
    'changeSecurityList',
    { add: ['10.0.0.0/8', '192.0.2.1'] },
    { add: ['2001:db8::/32'], remove: ['10.0.0.0/8'] },
  ],
];

describe.each(cases)('%s', (title, mutation, first, second) => {
  const named = (name: string) => `${title.replaceAll(' ', '-')}/${name}`;

  it('is refused when the version is not the one expected, and changes nothing then', async () => {
    const name = named('stale');
    await run(mutation, { name, ...first });
    const [before, version] = [await facts(name), await versionOf(name)];
    for (const expectedVersion of ['0', String(BigInt(version) + 1n), '9223372036854775807']) {
      expect(await run(mutation, { name, ...second, options: { expectedVersion } })).toMatchObject({
        __typename: 'ConflictError',
        currentVersion: version,
      });
    }
    expect(await facts(name)).toEqual(before);
    const done = await run(mutation, { name, ...second, options: { expectedVersion: version } });
    expect(done.securityValue.version).toBe(done.receipt.version);
  });

  it('is done by one of two gateways that expect the same version, be it none', async () => {
    const name = named('raced');
    for (const [input, version] of [
      [first, '0'],
      [second, undefined],
    ] as const) {
      const options = { expectedVersion: version ?? (await versionOf(name)) };
      const answers = await Promise.all([api, other].map((each) => run(mutation, { name, ...input, options }, each)));
      expect(answers.map(({ __typename }) => __typename === 'ConflictError').sort()).toEqual([false, true]);
    }
  });

  it('writes nothing in a dry run, and says what would be; also where there is nothing yet', async () => {
    const name = named('dry');
    const nothing = await facts(name);
    const made = await run(mutation, { name, ...first, options: { dryRun: true } });
    expect(made.receipt).toMatchObject({ dryRun: true, visible: false, changeId: null });
    expect(await facts(name)).toEqual(nothing);
    await run(mutation, { name, ...first });
    const before = await facts(name);
    const dry = await run(mutation, { name, ...second, options: { dryRun: true } });
    expect(await facts(name)).toEqual(before);
    const done = await run(mutation, { name, ...second });
    const saying = ({
      receipt: _,
      securityValue: { version: __, updatedAt: ___, ...value },
      ...rest
    }: typeof done) => ({
      ...rest,
      value,
    });
    expect(saying(dry)).toEqual(saying(done));
  });

  it('with an idempotency key is done once, whichever gateway it is sent to', async () => {
    const name = named('keyed');
    await run(mutation, { name, ...first });
    const options = { idempotencyKey: name };
    const done = await run(mutation, { name, ...second, options });
    expect(await run(mutation, { name, ...second, options }, other)).toEqual(done);
    expect((await facts(name)).changes).toEqual([{ count: 2 }]);
    expect(await run(mutation, { name, ...first, options })).toMatchObject({ __typename: 'IdempotencyError' });
  });

  it.each([
    ['an empty name', ''],
    ['a NUL in the name', 'a\0'],
    ['half of a character in the name', '\udc00'],
    ['a name that begins with a dot', '../../etc'],
    ['a name of 201 characters', 'n'.repeat(201)],
    ['a name of 401 bytes', '語'.repeat(134)],
    ['a line break in the name', 'a\nb'],
  ])('refuses %s', async (_, name) => {
    expect(await run(mutation, { name, ...first })).toMatchObject({ __typename: 'ValidationError', path: ['name'] });
  });

  it('of one name keeps its kind, whatever two gateways make at once', async () => {
    const name = named('torn');
    const opposite: Mutation = mutation === 'putParameter' ? 'changeSecurityList' : 'putParameter';
    const input = opposite === 'putParameter' ? { parameter: 1 } : { add: ['x'] };
    const answers = await Promise.all([run(mutation, { name, ...first }), run(opposite, { name, ...input }, other)]);
    expect(answers.map(({ __typename }) => __typename === 'ValidationError').sort()).toEqual([false, true]);
  });
});

describe('a list that two gateways change at once', () => {
  it('has what both have added, and none of what either has removed', async () => {
    const numbers = Array.from({ length: 20 }, (_, at) => at);
    await run('changeSecurityList', {
      name: 'busy',
      add: ['198.51.100.0/24', ...numbers.map((at) => `10.0.${at}.0/24`)],
    });
    await Promise.all(
      numbers.map((at) =>
        run(
          'changeSecurityList',
          { name: 'busy', add: [`172.16.${at}.0/${24 + (at % 8)}`], remove: [`10.0.${at}.0/24`] },
          at % 2 ? api : other,
        ),
      ),
    );
    const members = [...numbers.map((at) => `172.16.${at}.0`), ...numbers.map((at) => `10.0.${at}.1`), '198.51.100.1'];
    const expected = [...numbers.map(() => true), ...numbers.map(() => false), true];
    for (const gateway of [api, other]) {
      const { data } = await gateway.ask(
        `query ($members: [String!]!) { securityListContains(name: "busy", members: $members) }`,
        officer,
        { members },
      );
      expect(data.securityListContains).toEqual(expected);
    }
    const { data } = await api.ask('{ securityValue(name: "busy") { memberCount } }', officer);
    expect(data.securityValue.memberCount).toBe(21);
  });
});
