// Grounds are unpacked as they were, under the very guards that they were read under.

import { expect, it } from 'vitest';
import { GroundPacker } from '../../src/cache/packed-grounds.js';
import type { Ground } from '../../src/cache/standing.js';

const guardOf = (epoch: number) => ({ incarnation: 'a', epoch: String(epoch), generation: 'g' });
const groundOf = (key: string, guard = guardOf(1), dueMs = Number.POSITIVE_INFINITY): Ground => ({
  view: 'menu',
  key,
  version: '9007199254740993',
  stamp: '0009007199254740993:1',
  partition: 7,
  guard,
  dueMs,
});
/** As whoever keeps them does. */
const kept = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));

it('gives back what it was given, by the same guards', () => {
  const packer = new GroundPacker();
  const [first, second] = [guardOf(1), guardOf(1)];
  const grounds = [groundOf('a"\\\n,€', first), groundOf('', second, 1234.5), groundOf('c', first)];
  const unpacked = packer.unpack(kept(packer.pack(grounds)));
  expect(unpacked).toEqual(grounds);
  // Equal ones are told apart, too.
  expect(unpacked?.map(({ guard }) => [first, second].indexOf(guard))).toEqual([0, 1, 0]);
  expect(packer.unpack(kept(packer.pack([])))).toEqual([]);
});

it('knows no more of what was packed by many guards ago', () => {
  const packer = new GroundPacker();
  const old = kept(packer.pack([groundOf('old')]));
  expect(packer.unpack(old)).toBeDefined();
  const packed = Array.from({ length: 10_000 }, (_, at) => kept(packer.pack([groundOf(`${at}`, guardOf(at))])));
  expect(packer.unpack(old)).toBeUndefined();
  expect(packer.unpack(packed.at(-1) ?? [])).toEqual([groundOf('9999', guardOf(9_999))]);
});
