// Which targetings may come to another result as time goes by: in doubt, all.
import { expect, it } from 'vitest';
import { isTimeless } from '../../src/resolvers/flag-time.js';

it.each([
  ['none', undefined],
  ['a comparison of the context', { if: [{ '==': [{ var: 'country' }, 'br'] }, 'on', 'off'] }],
  ['a variable with a default', { in: [{ var: ['email', ''] }, ['a', 'b']] }],
  ['a field of a variable', { '==': [{ var: 'user.country' }, 'br'] }],
  ['what lists hold', { some: [{ var: 'roles' }, { '==': [{ var: 'name' }, 'admin'] }] }],
  ['a fraction', { fractional: [{ var: 'email' }, ['on', 50], ['off', 50]] }],
])('%s is timeless', (_, targeting) => {
  expect(isTimeless(targeting)).toBe(true);
});

it.each([
  ['the time', { '>': [{ var: '$flagd.timestamp' }, 1_800_000_000] }],
  ['the time in a list', { '>': [{ var: ['$flagd.timestamp', 0] }, 1] }],
  ['everything that flagd says', { in: ['a', { var: '$flagd' }] }],
  ['the whole context', { in: ['a', { var: '' }] }],
  ['a name that is made', { '>': [{ var: { cat: ['$flagd', '.timestamp'] } }, 1] }],
  ['a made name in a list', { '>': [{ var: [{ cat: ['$flagd', '.timestamp'] }] }, 1] }],
  ['the time as a default', { '>': [{ var: ['at', { var: '$flagd.timestamp' }] }, 1] }],
  ['a reference', { $ref: 'isLate' }],
  ['no name', { var: 1 }],
  ['the time, out of a list', { some: [['a'], { '>': [{ var: '../../$flagd.timestamp' }, 1] }] }],
  ['the whole context, out of a list', { some: [['a'], { in: ['a', { var: '../../' }] }] }],
  ['the time by another operator', { '>': [{ val: ['$flagd', 'timestamp'] }, 1] }],
  ['another operator within a list', { in: ['a', [{ val: ['$flagd', 'timestamp'] }]] }],
])('%s is not', (_, targeting) => {
  expect(isTimeless({ if: [targeting, 'on', 'off'] })).toBe(false);
});
