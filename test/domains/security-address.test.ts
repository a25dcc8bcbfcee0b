// What lists of addresses promise: an address is in the list when a network of the list is around it, however either is
// written.
import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_LENGTHS, networksAround, parseNetwork, writtenNetwork } from '../../src/resolvers/security-address.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

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

const change = async (name: string, variables: object, gateway = api) =>
  (
    await gateway.ask(
      `mutation ($name: String!, $add: [String!], $remove: [String!], $kind: SecurityListKind, $options: WriteOptions) {
        changeSecurityList(name: $name, add: $add, remove: $remove, kind: $kind, options: $options) { __typename
          ... on ChangeSecurityListPayload { added removed receipt { version visible } securityValue { memberCount listKind } }
          ... on UserError { message path } } }`,
      officer,
      { name, ...variables },
    )
  ).data.changeSecurityList;

const contains = (name: string, members: readonly string[], gateway = api) =>
  gateway.ask(
    `query ($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }`,
    officer,
    { name, members },
  );

const isIn = async (name: string, members: readonly string[], gateway = api): Promise<boolean[]> => {
  const { data, errors } = await contains(name, members, gateway);
  expect(errors).toEqual([]);
  return data.securityListContains;
};

const facts = async (name: string, gateway = api) =>
  (await gateway.ask(`{ securityValue(name: "${name}") { memberCount listKind } }`, officer)).data.securityValue;

const written = (text: string) => {
  const network = parseNetwork(text);
  return network && writtenNetwork(network);
};

describe('an address or network', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['::', '::/128'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1/128'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1/128'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1/128'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['fe80::/10', 'fe80::/10'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::ffff:c000:201', '192.0.2.1/32'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1/32'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221/128'],
    ['::192.0.2.1', '::c000:201/128'],
  ])('%s is kept as %s', (text, kept) => {
    expect(written(text)).toBe(kept);
    expect(written(kept)).toBe(kept);
  });

  it.each([
    '',
    ' ',
    'example.com',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '0xc0.0.2.1',
    '3221225985',
    ' 192.0.2.1',
    '192.0.2.1 ',
    '192.0.2.1\n',
    '192.0.2.1/',
    '192.0.2.1/33',
    '192.0.2.1/24',
    '192.0.2.0/024',
    '192.0.2.0/+24',
    '192.0.2.0/24/24',
    '192.0.2.0/255.255.255.0',
    '192.0.2.1-192.0.2.9',
    '192.0.2.1:80',
    '[::1]',
    ':::',
    '1::2::3',
    '2001:db8::/129',
    '2001:db8::1/32',
    'fe80::1%eth0',
    '12345::',
    '::ffff:192.0.2.1/64',
    '１９２.0.2.1',
  ])('is not said by %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  const ipv4 = fc.ipV4();
  const ipv6 = fc.ipV6();

  it('has one written form, which Node reads as the same address', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        const [kept = ''] = (written(address) ?? '').split('/');
        const list = new BlockList();
        list.addAddress(kept, isIPv4(kept) ? 'ipv4' : 'ipv6');
        expect(list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')).toBe(true);
      }),
    );
  });

  it('is in just those networks that Node, too, finds it in', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(ipv4, ipv4, fc.nat(32)), fc.tuple(ipv6, ipv6, fc.nat(128))),
        fc.boolean(),
        ([address, base, length], near) => {
          const family = isIPv4(address) ? 4 : 6;
          const network = parseNetwork(near ? address : base);
          const inside = parseNetwork(address);
          if (!network || !inside || network.family !== family || inside.family !== family) return;
          const [around = ''] = networksAround(network, { 4: [length], 6: [length] });
          const list = new BlockList();
          const [bits = ''] = around.split('/');
          list.addSubnet(bits, length, family === 4 ? 'ipv4' : 'ipv6');
          expect(networksAround(inside, ALL_LENGTHS).includes(around)).toBe(
            list.check(address, family === 4 ? 'ipv4' : 'ipv6'),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a list of addresses', () => {
  const networks = [
    '10.0.0.0/8',
    '192.0.2.7',
    '198.51.100.0/24',
    '2001:db8::/32',
    '2001:DB9:0::1',
    '::ffff:203.0.113.0/120',
  ];
  const asked: [string, boolean][] = [
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['9.255.255.255', false],
    ['::ffff:10.1.2.3', true],
    ['::ffff:a01:203', true],
    ['192.0.2.7', true],
    ['192.0.2.7/32', true],
    ['192.0.2.6', false],
    ['198.51.100.128/25', true],
    ['198.51.100.0/23', false],
    ['10.0.0.0/7', false],
    ['2001:db8:ffff::1', true],
    ['2001:0db8:0000::', true],
    ['2001:db9::1', true],
    ['2001:db9::2', false],
    ['203.0.113.9', true],
    ['::ffff:203.0.113.9', true],
    ['::203.0.113.9', false],
    ['0.0.0.0', false],
  ];

  it('has what a network of it is around, on every gateway', async () => {
    expect(await change('around', { add: networks })).toMatchObject({
      added: 6,
      receipt: { visible: true },
      securityValue: { memberCount: 6, listKind: 'ADDRESS' },
    });
    for (const gateway of [api, other, api]) {
      expect(
        await isIn(
          'around',
          asked.map(([address]) => address),
          gateway,
        ),
      ).toEqual(asked.map(([, is]) => is));
      expect(await facts('around', gateway)).toEqual({ memberCount: 6, listKind: 'ADDRESS' });
    }
    for (const [address, is] of asked) expect([address, await isIn('around', [address])]).toEqual([address, [is]]);
  });

  it('follows each change, also of the lengths that its networks have, on every gateway', async () => {
    const both = async (members: string[]) => [await isIn('lengths', members), await isIn('lengths', members, other)];
    await change('lengths', { add: ['10.0.0.0/8'] });
    expect(await both(['10.1.1.1', '172.16.0.1'])).toEqual([
      [true, false],
      [true, false],
    ]);
    await change('lengths', { add: ['172.16.0.0/12', '2001:db8::/48'] }, other);
    expect(await both(['172.16.0.1', '2001:db8::1'])).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(await change('lengths', { remove: ['172.16.0.0/12', '10.1.1.1'] })).toMatchObject({
      removed: 1,
      securityValue: { memberCount: 2 },
    });
    expect(await both(['172.16.0.1', '2001:db8::1', '10.1.1.1'])).toEqual([
      [false, true, true],
      [false, true, true],
    ]);
    await change('lengths', { remove: ['10.0.0.0/8', '2001:db8::/48'] });
    expect(await both(['10.1.1.1', '2001:db8::1'])).toEqual([
      [false, false],
      [false, false],
    ]);
    expect(await facts('lengths')).toEqual({ memberCount: 0, listKind: 'ADDRESS' });
    await change('lengths', { add: ['0.0.0.0/0'] });
    expect(await both(['10.1.1.1', '2001:db8::1', '::ffff:10.1.1.1'])).toEqual([
      [true, false, true],
      [true, false, true],
    ]);
  });

  it('keeps each network once, however it is written', async () => {
    expect(
      await change('once', { add: ['::ffff:192.0.2.0/120', '192.0.2.0/24', '2001:db8::', '2001:DB8::0/128'] }),
    ).toMatchObject({
      added: 2,
      securityValue: { memberCount: 2 },
    });
    expect(await change('once', { remove: ['2001:0db8::/128'] })).toMatchObject({ removed: 1 });
    expect(await change('once', { add: ['192.0.2.0/24'] })).toMatchObject({
      added: 0,
      securityValue: { memberCount: 1 },
    });
    expect(await change('once', { add: ['10.0.0.1'], remove: ['::ffff:10.0.0.1'] })).toMatchObject({
      __typename: 'ValidationError',
      path: ['remove', '0'],
    });
  });

  it('shows what psql changes, with or without the length of a single address', async () => {
    const { psql } = api.database;
    await change('by-hand', { add: ['10.0.0.0/8'] });
    await psql`INSERT INTO security_list_members VALUES ('by-hand', '192.0.2.1'), ('by-hand', '192.0.2.1/32'),
      ('by-hand', '2001:db8::1'), ('by-hand', '198.51.100.0/24')`;
    await psql`SELECT cache_barrier('30 seconds')`;
    expect(await isIn('by-hand', ['192.0.2.1', '192.0.2.2', '2001:db8::1', '198.51.100.9', '10.9.9.9'])).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect(await facts('by-hand')).toEqual({ memberCount: 4, listKind: 'ADDRESS' });
    await psql`UPDATE security_values SET list_kind = 'TEXT' WHERE name = 'by-hand'`;
    await psql`SELECT cache_barrier('30 seconds')`;
    expect(await isIn('by-hand', ['192.0.2.1', '10.9.9.9', '10.0.0.0/8', '', '4/8'])).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
    expect(await isIn('by-hand', ['192.0.2.1', '10.9.9.9', '10.0.0.0/8', '', '4/8'], other)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it('says nothing of what is no address: that is an error, never a "no"', async () => {
    await change('strict', { add: ['10.0.0.0/8'] });
    for (const bad of ['example.com', '', '10.0.0.1/8', '10.0.0.1\0', '\ud83d', 'fe80::1%1', 'x'.repeat(2_000)]) {
      const { data, errors } = await contains('strict', ['10.0.0.1', bad]);
      expect([data, errors[0]?.code]).toEqual([null, 'BAD_REQUEST']);
      expect(errors[0]?.message).toContain('Element 2 of members');
      expect(await change('strict', { add: ['10.0.0.0/9', bad] })).toMatchObject({
        __typename: 'ValidationError',
        path: ['add', '1'],
      });
    }
    expect(await facts('strict')).toEqual({ memberCount: 1, listKind: 'ADDRESS' });
  });

  it('is made of addresses alone, or where that is said; a list keeps its kind', async () => {
    expect((await change('mixed', { add: ['10.0.0.0/8', 'example.com'] })).securityValue.listKind).toBe('TEXT');
    expect(await isIn('mixed', ['10.0.0.0/8', '10.0.0.1'])).toEqual([true, false]);
    expect((await change('texts', { add: ['10.0.0.0/8'], kind: 'TEXT' })).securityValue.listKind).toBe('TEXT');
    expect(await isIn('texts', ['10.0.0.0/8', '10.0.0.1'])).toEqual([true, false]);
    expect((await change('texts', { add: ['10.0.0.1'] })).securityValue).toEqual({ memberCount: 2, listKind: 'TEXT' });
    expect(await change('texts', { add: ['10.0.0.1'], kind: 'ADDRESS' })).toMatchObject({
      __typename: 'ValidationError',
      path: ['kind'],
    });
    expect(await change('refused', { add: ['example.com'], kind: 'ADDRESS' })).toMatchObject({
      __typename: 'ValidationError',
      path: ['add', '0'],
    });
    expect(await facts('refused')).toBeNull();
  });

  it('answers 1,000 addresses in one round-trip, once this gateway has learned which lengths the list has', async () => {
    const add = Array.from({ length: 4_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/${24 + (at % 2)}`);
    await change('large', { add: [...add, '2001:db8::/32', '2001:db9::/48', '172.16.0.0/12'] });
    const addresses = Array.from({ length: 1_000 }, (_, at) =>
      at % 2 ? `10.${at % 20}.${at % 251}.1` : at % 4 ? `2001:db8:${at.toString(16)}::1` : `192.168.${at % 256}.9`,
    );
    const list = new BlockList();
    for (const network of [...add, '172.16.0.0/12']) {
      const [base = '', length] = network.split('/');
      list.addSubnet(base, Number(length), 'ipv4');
    }
    const expected = addresses.map((address) => !isIPv4(address) || list.check(address));
    expect(new Set(expected).size).toBe(2);
    expect(await isIn('large', addresses)).toEqual(expected);
    await eventually(async () => (await contains('large', addresses)).trace.every(({ outcome }) => outcome === 'HIT'));
    api.events.length = 0;
    expect(await isIn('large', addresses)).toEqual(expected);
    const told = api.events.map(({ kind }) => kind).filter((kind) => kind !== 'relayed');
    expect(told.filter((kind) => kind === 'flush')).toHaveLength(1);
    expect(new Set(told)).toEqual(new Set(['flush', 'hit']));
  });
});
