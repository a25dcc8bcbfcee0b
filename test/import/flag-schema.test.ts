// Our rules of flagd's form against the documents that the authors of its schema publish beside it.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { definitionFaults, documentFaults } from '../../src/resolvers/flag-definition.js';
import { targetingFaults } from '../../src/resolvers/flag-targeting.js';
import { flagRecords } from '../../src/resolvers/import/flag-file.js';
import { describeReal, realFile } from './real-data.js';

const folder = 'flags/flagd-schemas/test';

describeReal("the documents of flagd's schema", [folder], () => {
  const files = readdirSync(realFile(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => realFile(`${folder}/${name}`));
  const those = (verdict: string) => files.filter((file) => basename(dirname(file)) === verdict);

  it('are 18 that must pass and 18 that must fail', () => {
    expect([files.length, those('positive').length, those('negative').length]).toEqual([36, 18, 18]);
  });

  it.each(those('positive'))('takes %s', (file) => {
    expect(faultsOf(file)).toEqual([]);
  });

  it.each(those('negative'))('refuses %s', (file) => {
    const [fault] = faultsOf(file);
    expect(fault).toMatchObject({ path: expect.any(Array), reason: expect.stringMatching(/\.$/) });
  });
});

/** By the schema that the document is written for: of targeting, of providers, or of the daemon, which takes arrays too. */
function faultsOf(file: string): readonly { readonly path: readonly string[]; readonly reason: string }[] {
  const text = readFileSync(file, 'utf8');
  const document = JSON.parse(text);
  if (file.includes('/targeting/')) return [...targetingFaults(document, [])];
  if (!document.$schema.endsWith('/flagd.json')) return [...documentFaults(document)];
  return [...flagRecords(text)].flatMap((record) =>
    record.kind === 'flag' ? [] : [{ path: [], reason: record.reason }],
  );
}

describe('a flag', () => {
  const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
  const faults = (change: object) =>
    [...definitionFaults({ ...flag, ...change }, ['flag'])].map(({ path }) => path.join('/'));
  const targeting = (rule: unknown) => faults({ targeting: rule }).map((path) => path.replace('flag/targeting', ''));

  it.each([
    ['no variants', { variants: {}, defaultVariant: null }, 'flag/variants'],
    ['variants of two types', { variants: { on: true, off: 0 } }, 'flag/variants/off'],
    ['a variant that is null', { variants: { on: null } }, 'flag/variants/on'],
    ['a variant that is an array', { variants: { on: [] } }, 'flag/variants/on'],
    ['a variant without a name', { variants: { on: true, '': true } }, 'flag/variants/'],
    ['another state', { state: 'enabled' }, 'flag/state'],
    ['no state', { state: undefined }, 'flag/state'],
    ['a default that is no variant', { defaultVariant: 'toString' }, 'flag/defaultVariant'],
    ['a default that is no name', { defaultVariant: true }, 'flag/defaultVariant'],
    ['metadata of objects', { metadata: { a: {} } }, 'flag/metadata/a'],
    ['targeting that is text', { targeting: 'on' }, 'flag/targeting'],
    ['targeting that is null', { targeting: null }, 'flag/targeting'],
  ])('is refused with %s, by its place', (_, change, path) => {
    expect(faults(change)).toEqual([path]);
  });

  it.each([
    ['an operator that there is not', { if: [{ equals: [1, 1] }, 'on'] }, ['/if/0/equals']],
    ['two operators in one rule', { '==': [1, 1], '!=': [1, 1] }, ['']],
    ['a rule without an operator', { if: [{}, 'on'] }, ['/if/0']],
    ['a missing argument', { '==': [1] }, ['/==']],
    ['an argument too many', { '<': [1, 2, 3, 4] }, ['/<']],
    ['a number to compare text with', { starts_with: [{ var: 'id' }, 0] }, ['/starts_with/1']],
    ['a property that flagd has not', { var: '$flagd.version' }, ['/var']],
    ['part of a version', { sem_ver: [{ var: 'v' }, '=', '2.0'] }, ['/sem_ver/2']],
    ['a comparison of versions that there is not', { sem_ver: [{ var: 'v' }, '==', '2.0.0'] }, ['/sem_ver/1']],
    ['a weight below 0', { fractional: [['on', -1]] }, ['/fractional/0/1']],
    ['a weight in decimals', { fractional: [['on', 1.5]] }, ['/fractional/0/1']],
    ['text to bucket by', { fractional: ['email', ['on', 1]] }, ['/fractional/0']],
    ['a reference with more to it', { if: [{ $ref: 'a', var: 'b' }, 'on'] }, ['/if/0']],
    ['two faults, both told', { if: [{ '==': [1] }, { '!=': [1] }] }, ['/if/0/==', '/if/1/!=']],
  ])('is refused with %s in its targeting', (_, rule, paths) => {
    expect(targeting(rule)).toEqual(paths);
  });
});
