// What becomes of Unleash's features, one rule at a time, and what is refused.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFlag } from '../../src/resolvers/flag-compiled.js';
import { definitionFaults } from '../../src/resolvers/flag-definition.js';
import { type FlagFormat, flagRecords } from '../../src/resolvers/import/flag-file.js';
import type { JsonObject } from '../../src/resolvers/json-limits.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { describeReal, realFile } from './real-data.js';

const read = (document: unknown, format?: FlagFormat) => [...flagRecords(JSON.stringify(document), format)];

const featureOf = (strategy: object, rest: object = {}) => ({
  name: 'f',
  enabled: true,
  strategies: [strategy],
  ...rest,
});

/** The one flag that a feature with this strategy becomes, ready to ask. */
function asking(strategy: object, rest: object = {}) {
  const records = read({ version: 1, features: [featureOf(strategy, rest)] });
  const flags = records.flatMap((record) => (record.kind === 'flag' ? [record] : []));
  const [record] = flags;
  if (!record) throw new Error(`No flag: ${JSON.stringify(records)}`);
  const { key, enabled, definition } = record.flag;
  expect([...definitionFaults(definition, [])]).toEqual([]);
  const { evaluate } = compileFlag({ key, public: true, enabled, definition, version: '1' });
  return {
    notes: record.notes,
    ask: (context: JsonObject) => {
      const { value, errorCode } = evaluate(context, false);
      return errorCode ?? value;
    },
  };
}

const constraint = (operator: string, rest: object, contextName = 'field') =>
  asking({ name: 'default', constraints: [{ contextName, operator, ...rest }] });

const reasonsOf = (document: unknown, format?: FlagFormat) =>
  read(document, format).flatMap((record) => (record.kind === 'flag' ? [] : [record.reason]));

describe('a constraint', () => {
  it('looks at the top of the context and among its properties; a user may be the targeting key', () => {
    const { ask } = constraint('IN', { values: ['ana'] }, 'userId');
    expect([ask({ userId: 'ana' }), ask({ properties: { userId: 'ana' } }), ask({ targetingKey: 'ana' })]).toEqual([
      true,
      true,
      true,
    ]);
    expect([ask({ userId: 'bia', targetingKey: 'ana' }), ask({}), ask({ properties: 'ana' })]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('takes a dot in a name for a dot', () => {
    const { ask } = constraint('IN', { values: ['x'] }, 'a.b');
    expect([ask({ 'a.b': 'x' }), ask({ a: { b: 'x' } })]).toEqual([true, false]);
  });

  it.each([
    ['STR_STARTS_WITH', 'TeSt', ['test@a.b', 'TEST'], ['tes', 'atest', '']],
    ['STR_ENDS_WITH', '.COM', ['x.com', '.CoM'], ['x.co', 'com', 'm', '.comx']],
  ])('%s spells a text in either case', (operator, value, those, others) => {
    const { ask } = constraint(operator, { values: [value], caseInsensitive: true });
    expect(those.map((field) => ask({ field }))).toEqual(those.map(() => true));
    expect(others.map((field) => ask({ field }))).toEqual(others.map(() => false));
    expect(ask({})).toBe(false);
  });

  it('finds a text within, whatever the value is', () => {
    const { ask } = constraint('STR_CONTAINS', { values: ['mail'] });
    expect([
      ask({ field: 'a mail' }),
      ask({ field: 'MAIL' }),
      ask({}),
      ask({ field: 5 }),
      ask({ field: { a: 1 } }),
    ]).toEqual([true, false, false, false, false]);
  });

  it('compares numbers however they are written, and holds of no text', () => {
    const { ask } = constraint('NUM_GT', { value: '12' });
    expect(['13', 13, '12.5', '1300', '9', '-13', 'abc', '', null].map((field) => ask({ field }))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(constraint('NUM_EQ', { value: '12.0' }).ask({ field: 12 })).toBe(true);
    expect(constraint('NUM_EQ', { value: '12', inverted: true }).ask({ field: 'abc' })).toBe(true);
  });

  it('compares versions, and takes none that begins with v', () => {
    const { ask } = constraint('SEMVER_LT', { value: '2.0.0-rc.1' }, 'version');
    const versions = ['1.9.9', '2.0.0-beta.9', '2.0.0-rc.1', '2.0.0', 'v1.0.0', 'none'];
    expect(versions.map((version) => ask({ version }))).toEqual([true, true, false, false, false, false]);
    expect(ask({ properties: { version: '1.0.0' } })).toBe(true);
    expect(ask({})).toBe(false);
  });

  it('compares times: the one in the context, or the present', () => {
    const past = constraint('DATE_AFTER', { value: '2022-01-22T13:00:00+02:00' }, 'currentTime');
    const future = constraint('DATE_AFTER', { value: '2222-01-01T00:00:00Z' }, 'currentTime');
    expect([past.ask({}), future.ask({})]).toEqual([true, false]);
    expect(past.ask({ currentTime: '2022-01-22T11:00:00.001Z' })).toBe(true);
    expect(past.ask({ currentTime: '2022-01-22T11:00:00.000Z' })).toBe(false);
    expect(past.ask({ currentTime: '2022-01-22T23:00:00.000+09:00' })).toBe(false);
    expect(past.notes).toEqual([expect.stringContaining('UTC')]);
  });

  it('of an unknown operator never holds, and neither does one whose value is none; both are told', () => {
    for (const [operator, value] of [
      ['IS_LUCKY', '7'],
      ['NUM_LT', 'many'],
      ['SEMVER_EQ', 'v2'],
      ['DATE_AFTER', 'soon'],
    ] as const) {
      const { ask, notes } = constraint(operator, { value });
      expect([ask({ field: '1' }), notes.length]).toEqual([false, 1]);
    }
  });

  it('knows which addresses a network holds', () => {
    const networks = [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.4.0/22',
      '203.0.113.64/27',
      '198.51.100.6/31',
      '192.0.2.7',
    ];
    const list = new BlockList();
    for (const network of networks) {
      const [address = '', bits = '32'] = network.split('/');
      list.addSubnet(address, Number(bits));
    }
    const { ask } = constraint('IN_CIDR', { values: [...networks, 'nonsense'] }, 'remoteAddress');
    const edges = [
      '9.255.255.255',
      '10.0.0.0',
      '10.255.255.255',
      '11.0.0.0',
      '172.15.0.1',
      '172.16.0.0',
      '172.31.255.255',
      '172.32.0.0',
      '192.168.3.255',
      '192.168.4.0',
      '192.168.7.255',
      '192.168.8.0',
      '203.0.113.63',
      '203.0.113.64',
      '203.0.113.95',
      '203.0.113.96',
      '198.51.100.5',
      '198.51.100.6',
      '198.51.100.7',
      '198.51.100.8',
      '192.0.2.7',
      '192.0.2.70',
      '1.2.3.4',
    ];
    expect(edges.map((remoteAddress) => [remoteAddress, ask({ remoteAddress })])).toEqual(
      edges.map((address) => [address, list.check(address)]),
    );
  });
});

describe('a strategy', () => {
  it('rolls out to nearly its share, always the same users, and to nobody without a value to go by', () => {
    const parameters = { rollout: '30', stickiness: 'default', groupId: 'g' };
    const { ask, notes } = asking({ name: 'flexibleRollout', parameters });
    const users = Array.from({ length: 2_000 }, (_, at) => `user-${at}`);
    const inside = users.filter((userId) => ask({ userId }) === true);
    expect(inside.length).toBeGreaterThan(500);
    expect(inside.length).toBeLessThan(700);
    expect(users.filter((sessionId) => ask({ sessionId }) === true)).toEqual(inside);
    expect(ask({})).toBe(false);
    expect(notes).toEqual([expect.stringContaining('30 percent')]);
  });

  it('needs all of its constraints, one of several strategies, and a segment that there is', () => {
    const within = (field: string) => ({ contextName: field, operator: 'IN', values: ['1'] });
    const strategies = [
      { name: 'default', constraints: [within('a'), within('b')] },
      { name: 'default', segments: [404] },
      { name: 'default', constraints: [within('c')], disabled: false },
    ];
    const { ask, notes } = asking({}, { strategies });
    expect([ask({ a: '1' }), ask({ a: '1', b: '1' }), ask({ c: '1' }), ask({})]).toEqual([false, true, true, false]);
    expect(notes).toEqual([expect.stringContaining('404')]);
  });
});

describe('a document', () => {
  const refusals: [string, object, string][] = [
    [
      'a regular expression',
      { name: 'default', constraints: [{ contextName: 'a', operator: 'REGEX', value: '^a+$' }] },
      'regular expression',
    ],
    ['a strategy of its own', { name: 'tenants' }, '"tenants"'],
    ['chance', { name: 'gradualRolloutRandom', parameters: { percentage: '50' } }, '50 percent at random'],
    ['no percentage', { name: 'flexibleRollout', parameters: { rollout: 'half' } }, '"half"'],
    [
      'a field that no rule can name',
      { name: 'default', constraints: [{ contextName: '../x', operator: 'IN', values: ['1'] }] },
      '"../x"',
    ],
    [
      'text within in either case',
      {
        name: 'default',
        constraints: [{ contextName: 'a', operator: 'STR_CONTAINS', values: ['x'], caseInsensitive: true }],
      },
      'STR_CONTAINS',
    ],
    ['IPv6 with zeros', { name: 'remoteAddress', parameters: { IPs: '2001::/32' } }, '2001::/32'],
    ['strategies that are all off', { name: 'default', disabled: true }, 'all disabled'],
  ];
  it.each(refusals)('is taken without the feature that goes by %s, by its name', (_, strategy, named) => {
    const records = read({ features: [featureOf(strategy), { name: 'fine', enabled: true }] });
    expect(records).toMatchObject([
      { kind: 'refused', reason: expect.stringMatching(/^\/features\/0 "f": flagd cannot say .*\.$/) },
      { kind: 'flag', flag: { key: 'fine' } },
    ]);
    expect(records[0]).toMatchObject({ reason: expect.stringContaining(named) });
  });

  it.each([
    ['no name', { enabled: true }],
    ['a number for a name', { name: 5, enabled: true }],
    ['no switch', { name: 'f' }],
    ['text for strategies', { name: 'f', enabled: true, strategies: 'default' }],
    ['a constraint without a field', featureOf({ name: 'default', constraints: [{ operator: 'IN' }] })],
    ['a weight below 0', featureOf({ name: 'default' }, { variants: [{ name: 'v', weight: -1 }] })],
    ['null', null],
    ['a blank name', { name: ' f', enabled: true }],
  ])('refuses a feature with %s by its place', (_, feature) => {
    expect(reasonsOf({ features: [feature, { name: 'fine', enabled: true }] })).toEqual([
      expect.stringMatching(/^\/features\/0.*: .+\.$/),
    ]);
  });

  it('is refused whole where it is an export, nothing that is known, or not of the format that was insisted on', () => {
    expect(reasonsOf({ features: [], featureStrategies: [] })).toEqual([
      expect.stringContaining('/api/client/features'),
    ]);
    expect(reasonsOf({ toggles: [] })).toEqual([expect.stringContaining('features')]);
    expect(reasonsOf({ flags: {} }, 'unleash')).toEqual([expect.stringContaining('features')]);
    expect(reasonsOf({ features: [] }, 'flagd')).toEqual([expect.stringContaining('/flags')]);
  });

  it('refuses a feature that is named as another one or its variants', () => {
    const variants = [{ name: 'v', weight: 1 }];
    const features = [
      { name: 'f', enabled: true, variants },
      { name: 'f', enabled: false },
      { name: 'f:variant', enabled: true },
    ];
    expect(reasonsOf({ features })).toEqual([
      expect.stringMatching(/^\/features\/1 "f": .*above/),
      expect.stringMatching(/^\/features\/2 "f:variant": .*above/),
    ]);
  });

  it('keeps the payloads of variants that have one name in two strategies', () => {
    const own = (value: string) => [{ name: 'v', weight: 1, payload: { type: 'string', value } }];
    const constraints = [{ contextName: 'a', operator: 'IN', values: ['1'] }];
    const strategies = [
      { name: 'default', constraints, variants: own('first') },
      { name: 'default', variants: own('second') },
    ];
    const [, record] = read({ features: [{ name: 'f', enabled: true, strategies }] });
    if (record?.kind !== 'flag') throw new Error('No flag of variants.');
    const { evaluate } = compileFlag({ ...record.flag, public: true, version: '1' });
    const payload = (context: JsonObject) => evaluate(context, null).value;
    expect(payload({ a: '1' })).toMatchObject({ name: 'v', payload: { value: 'first' } });
    expect(payload({})).toMatchObject({ name: 'v', payload: { value: 'second' } });
  });
});

const edge = 'flags/unleash-edge-examples/features.json';
describeReal('the features of a real server', [edge], () => {
  it('become flags that flagd takes, but four that go by what only the application knows', () => {
    const records = [...flagRecords(readFileSync(realFile(edge), 'utf8'))];
    const refused = records.flatMap((record) =>
      record.kind === 'refused' ? [/"(.+?)"/.exec(record.reason)?.[1]] : [],
    );
    expect(refused).toEqual(['1234', 'price', 'new-login', 'proto-test']);
    const flags = records.flatMap((record) => (record.kind === 'flag' ? [record.flag] : []));
    expect(flags.filter(({ key }) => !key.endsWith(':variant'))).toHaveLength(72);
    for (const { definition } of flags) expect([...definitionFaults(definition, [])]).toEqual([]);
  });
});

describe('espelho import flags', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'unleash-'));
  });
  afterAll(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  it('takes a file of Unleash as it takes one of flagd, and names what it refuses', async () => {
    const file = join(folder, 'unleash.json');
    const features = [{ name: 'plain', enabled: false, description: 'About it' }, featureOf({ name: 'tenants' })];
    await writeFile(file, JSON.stringify({ version: 2, features }));
    const env = { DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') };
    const { code, out } = await espelho(env, 'import', 'flags', file, '--environment', 'moved', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      read: 2,
      written: 1,
      refused: 1,
      errors: [{ reason: expect.stringContaining('"tenants"') }],
    });
    const rows = await database.psql`SELECT key, enabled, description FROM flags WHERE environment = 'moved'`;
    expect([...rows]).toEqual([{ key: 'plain', enabled: false, description: 'About it' }]);
  });
});
