// Files of menus, flags and lists, good ones and broken ones, are taken item by item, or refused in sentences.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { flagRecords } from '../../src/resolvers/import/flag-file.js';
import { menuFromJson } from '../../src/resolvers/import/menu-json.js';
import { readListFile } from '../../src/resolvers/import/security-list-file.js';
import { taxonomyItems } from '../../src/resolvers/import/taxonomy.js';
import { parseNetwork, writtenNetwork } from '../../src/resolvers/security-address.js';
import { keptMember } from '../../src/resolvers/security-member.js';
import { claim } from './claim.js';
import { battered, hostileText, jsonWith } from './texts.js';

const isSentence = (reason: string) => assert.match(reason, /\S/);
const texts = (json: fc.Arbitrary<unknown>) => json.map((value) => JSON.stringify(value) ?? 'null');

const OPERATORS = [
  'if',
  'and',
  'or',
  '!',
  '==',
  '>',
  'in',
  'var',
  'fractional',
  'starts_with',
  'ends_with',
  'sem_ver',
  '$ref',
];
const rule = fc.letrec<{ rule: unknown }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      'on',
      'off',
      null,
      1,
      true,
      { var: 'user' },
      { var: '$flagd.flagKey' },
      ['on', 50],
      '1.2.3',
    ),
    hostileText,
    fc
      .tuple(fc.constantFrom(...OPERATORS), fc.array(tie('rule'), { maxLength: 4 }))
      .map(([name, args]) => ({ [name]: args })),
  ),
})).rule;
const flagd = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c/d'), rule, fc.constantFrom('ENABLED', 'DISABLED'), hostileText), {
    maxLength: 3,
  })
  .map((flags) => ({
    flags: Object.fromEntries(
      flags.map(([key, targeting, state, other]) => [
        key,
        { state, variants: { on: true, off: false, [other]: true }, defaultVariant: 'on', targeting },
      ]),
    ),
    $evaluators: { shared: { if: [true, 'on', 'off'] } },
  }));

const constraint = fc.record({
  contextName: fc.constantFrom('userId', 'email', 'currentTime', 'remoteAddress'),
  operator: fc.constantFrom('IN', 'NOT_IN', 'STR_CONTAINS', 'NUM_GT', 'DATE_AFTER', 'SEMVER_EQ', 'REGEX', 'NOPE'),
  values: fc.array(fc.oneof(hostileText, fc.constantFrom('10.0.0.0/8', '(a+)+$', '2026-01-01T00:00:00Z')), {
    maxLength: 3,
  }),
  value: fc.constantFrom('(a|a)*b', '1.2.3', '10', '2026-01-01T00:00:00Z', '[', null),
  inverted: fc.boolean(),
});
const strategy = fc.record({
  name: fc.constantFrom('default', 'flexibleRollout', 'userWithId', 'gradualRolloutUserId', 'remoteAddress', 'own'),
  parameters: fc.record({
    rollout: fc.constantFrom('50', '-1', 'x', '101'),
    userIds: hostileText,
    IPs: hostileText,
    groupId: hostileText,
  }),
  constraints: fc.array(constraint, { maxLength: 2 }),
  segments: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
});
const unleash = fc
  .array(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      enabled: fc.boolean(),
      strategies: fc.array(strategy, { maxLength: 2 }),
    }),
    {
      maxLength: 3,
    },
  )
  .map((features) => ({ version: 2, features, segments: [{ id: 1, constraints: [] }] }));

const flagJson = jsonWith(
  'flags',
  'features',
  'state',
  'variants',
  'targeting',
  '$evaluators',
  'metadata',
  'strategies',
  'events',
);
const flagFiles = fc.oneof(
  hostileText,
  texts(flagJson),
  battered(texts(flagd), '"__proto__"', '{"$ref":"shared"}', '"ENABLED"', '1e999'),
  battered(texts(unleash), '"__proto__"', '"segments"', 'null', '[]'),
);
const menuJson = jsonWith('items', 'label', 'url', 'key', 'children', 'title', 'name', 'href', 'visible', 'locale');

const octet = fc.integer({ min: 0, max: 300 });
const group = fc.oneof(
  fc.integer({ min: 0, max: 70_000 }).map((value) => value.toString(16)),
  fc.constant(''),
);
const address = fc.oneof(
  fc
    .tuple(octet, octet, octet, octet, fc.integer({ min: -1, max: 40 }))
    .map(([a, b, c, d, bits]) => `${a}.${b}.${c}.${d}/${bits}`),
  fc.tuple(octet, octet, octet, octet).map((all) => all.join('.')),
  fc
    .tuple(fc.array(group, { maxLength: 9 }), fc.integer({ min: 0, max: 140 }))
    .map(([all, bits]) => `${all.join(':')}/${bits}`),
  fc.constantFrom('::', '::/0', '0.0.0.0/0', '::ffff:1.2.3.4', 'fe80::1%eth0', '010.0.0.1', '1.2.3', '0x7f.1', '[::1]'),
);
const addresses = battered(address, '/', '::', '.', '%', '\t');

export const importClaims = [
  claim(
    'of flags refuse in sentences',
    fc.property(flagFiles, fc.constantFrom(undefined, 'flagd' as const, 'unleash' as const), (text, format) => {
      for (const record of flagRecords(text, format)) if ('reason' in record) isSentence(record.reason);
    }),
    2,
  ),
  claim(
    'of menus refuse in sentences',
    fc.property(menuJson, fc.option(hostileText, { nil: undefined }), (given, part) => {
      for (const { reason } of menuFromJson(given, { part }).refused) isSentence(reason);
    }),
  ),
  claim(
    'of taxonomies refuse in sentences',
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          hostileText,
          fc.tuple(fc.nat(), hostileText, hostileText).map(([id, parent, name]) => `${id} - ${parent} > ${name}`),
        ),
        { maxLength: 8 },
      ),
      async (given) => {
        const lines = given.map((text, at) => ({ kind: 'line' as const, line: at + 1, text }));
        for await (const record of taxonomyItems(lines)) if (record.kind === 'refused') isSentence(record.reason);
      },
    ),
  ),
  claim(
    'of addresses keep each network in one written form',
    fc.property(addresses, (text) => {
      const { member, fault } = keptMember(text, 'ADDRESS');
      if (member === undefined) return isSentence(fault);
      const network = parseNetwork(member);
      assert(network);
      assert.equal(writtenNetwork(network), member);
    }),
    2,
  ),
  claim(
    'of files of lists refuse in sentences that repeat nothing',
    fc.asyncProperty(
      fc.oneof(
        fc.array(fc.oneof(addresses, hostileText), { maxLength: 5 }).map((lines) => lines.join('\n')),
        texts(jsonWith('entries', 'prefixes', 'ipv6_prefixes', 'name', 'ip_prefix', 'urls')),
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b]), bytes])),
      ),
      fc.constantFrom('TEXT' as const, 'ADDRESS' as const),
      async (content, kind) => {
        writeFileSync(LIST, content);
        for await (const record of readListFile(LIST, { kind }))
          if (record.kind === 'refused') isSentence(record.reason);
      },
    ),
    0.2,
  ),
];

const LIST = join(tmpdir(), `espelho-fuzz-${process.pid}.list`);
process.once('exit', () => rmSync(LIST, { force: true }));
