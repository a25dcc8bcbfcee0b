// Each mutation of feature toggles with hostile, stale and repeated input, at two gateways.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';

const editor = { scopes: ['flags:read', 'flags:write'] };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi({ database: api.database });
  for (const key of ['here', 'there']) {
    await api.ask('mutation ($key: String!) { saveEnvironment(key: $key, public: true) { __typename } }', editor, {
      key,
    });
  }
});
afterAll(async () => {
  await other.close();
  await api.close();
});

interface Mutation {
  readonly name: string;
  /** Its arguments without options, and their values for the environment and key given. */
  readonly args: string;
  readonly of: (environment: string, key: string) => object;
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'saveFlag',
    args: '$input: SaveFlagInput!',
    of: (environment, key) => ({ input: { environment, key, enabled: true, definition: onOff } }),
  },
  {
    name: 'toggleFlag',
    args: '$environment: String!, $key: String!, $enabled: Boolean!',
    of: (environment, key) => ({ environment, key, enabled: false }),
  },
  {
    name: 'promoteFlag',
    args: '$key: String!, $from: String!, $to: String!',
    of: (environment, key) => ({ key, from: environment, to: 'there' }),
  },
  {
    name: 'archiveFlag',
    args: '$environment: String!, $key: String!',
    of: (environment, key) => ({ environment, key }),
  },
];

async function run(
  { name, args }: Pick<Mutation, 'name' | 'args'>,
  values: object,
  options: object | null = null,
  at = api,
) {
  const passed = [...args.matchAll(/\$(\w+)/g)].map(([, each]) => `${each}: $${each}`).join(', ');
  const document = `mutation (${args}, $options: WriteOptions) { ${name}(${passed}, options: $options) {
    __typename ... on UserError { code message path } ... on ConflictError { currentVersion }
    ... on ${name[0]?.toUpperCase()}${name.slice(1)}Payload { receipt { version visible dryRun changeId } } } }`;
  const { data, errors } = await at.ask(document, editor, { ...values, options });
  expect(errors).toEqual([]);
  return data[name];
}

const [saveFlag] = MUTATIONS;
const save = async (key: string) => (saveFlag ? run(saveFlag, saveFlag.of('here', key)) : undefined);

const written = async () => {
  const [counts] = await api.database.psql`SELECT (SELECT count(*) FROM flags)::int AS flags,
    (SELECT count(*) FROM environments)::int AS environments, (SELECT count(*) FROM changes)::int AS changes`;
  return { ...counts };
};

const KEYS = ['', ' ', 'a\0b', 'a\nb', '__proto__', 'x'.repeat(201), '\u0085', 'a\ud800'];
const ENVIRONMENTS = ['', '../here', 'here/x', 'hére', '-here', 'x'.repeat(101), "here'; --", 'here\0'];

describe.each(MUTATIONS)('$name', (mutation) => {
  it('refuses keys that are none and environments that are none, and writes nothing', async () => {
    const before = await written();
    for (const [environment, key] of [
      ...KEYS.map((each) => ['here', each] as const),
      ...ENVIRONMENTS.map((each) => [each, 'k'] as const),
    ]) {
      const refused = await run(mutation, mutation.of(environment, key));
      expect(refused).toMatchObject({ __typename: 'ValidationError', message: expect.stringMatching(/\.$/) });
      expect(refused.path.length).toBeGreaterThan(0);
    }
    expect(await written()).toEqual(before);
  });

  it('refuses what is stale with the version that stands, and takes that one', async () => {
    const key = `stale-${mutation.name}`;
    const { receipt } = await save(key);
    // A promoted flag is another one, which is not there yet.
    const version = mutation.name === 'promoteFlag' ? '0' : receipt.version;
    const values = {
      ...mutation.of('here', key),
      ...(mutation.name === 'saveFlag' && { input: { environment: 'here', key, enabled: false, definition: onOff } }),
    };
    const conflict = await run(mutation, values, { expectedVersion: '123456789012' });
    expect(conflict).toMatchObject({ __typename: 'ConflictError', currentVersion: version });
    const done = await run(mutation, values, { expectedVersion: version });
    expect(done.receipt).toMatchObject({ visible: true });
    expect(await run(mutation, values, { expectedVersion: version })).not.toHaveProperty('receipt');
  });

  it('is dry where it is asked to be, and gives one result for one idempotency key, on either gateway', async () => {
    const key = `repeated-${mutation.name}`;
    await save(key);
    const values = mutation.of('here', key);
    const before = await written();
    expect((await run(mutation, values, { dryRun: true })).receipt).toMatchObject({
      dryRun: true,
      visible: false,
      changeId: null,
    });
    expect(await written()).toEqual(before);
    const options = { idempotencyKey: `key-${mutation.name}` };
    const first = await run(mutation, values, options);
    expect(first.receipt).toMatchObject({ visible: true });
    expect(await run(mutation, values, options, other)).toEqual(first);
    const otherwise = mutation.of('here', `${key}-otherwise`);
    expect(await run(mutation, otherwise, options, other)).toMatchObject({ __typename: 'IdempotencyError' });
  });

  it('is taken from two gateways at once without losing order: both read the same afterwards', async () => {
    const key = `raced-${mutation.name}`;
    await save(key);
    const values = mutation.of('here', key);
    const results = await Promise.all([api, other, api, other].map((at) => run(mutation, values, null, at)));
    expect(results.filter(({ receipt }) => receipt).length).toBeGreaterThan(0);
    for (const { __typename } of results)
      expect(['Payload', 'NotFoundError'].some((end) => __typename.endsWith(end))).toBe(true);
    const read = async (at: Api) => {
      const place = mutation.name === 'promoteFlag' ? 'there' : 'here';
      return (await at.ask(`{ flag(environment: "${place}", key: "${key}") { enabled version } }`, editor)).data.flag;
    };
    expect(await read(api)).toEqual(await read(other));
  });
});

describe('a definition', () => {
  const define = async (definition: unknown) =>
    saveFlag && run(saveFlag, { input: { environment: 'here', key: 'defined', enabled: true, definition } });

  it.each([
    ['that is null', { variants: null }, ['input', 'definition', 'variants']],
    ['without variants', { variants: {} }, ['input', 'definition', 'variants']],
    [
      'with an operator that is inherited',
      { targeting: { constructor: [1] } },
      ['input', 'definition', 'targeting', 'constructor'],
    ],
    ['with too few arguments', { targeting: { '==': [1] } }, ['input', 'definition', 'targeting', '==']],
    ['with metadata of objects', { metadata: { a: {} } }, ['input', 'definition', 'metadata', 'a']],
    ['whose default is inherited', { defaultVariant: 'toString' }, ['input', 'definition', 'defaultVariant']],
  ])('%s is refused by its path', async (_, change, path) => {
    expect(await define({ ...onOff, ...change })).toMatchObject({ __typename: 'ValidationError', path });
  });
});
