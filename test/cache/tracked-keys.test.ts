// What is known of keys is bounded, and nobody believes what is no longer told of.
import { expect, it } from 'vitest';
import { TrackedKeys } from '../../src/cache/tracked-keys.js';

const guard = { incarnation: 'a', epoch: '1', generation: '1' };
const nameOf = ({ view, key }: { view: string; key: string }) => `${view}:${key}`;

/** More than are known at once. */
const MANY = 20_000;

function known(keys: TrackedKeys, key: string, view = 'note') {
  keys.entry({ view, key }, nameOf);
  const entry = keys.entry({ view, key }, nameOf);
  if (!entry) throw new Error('It was asked about a moment ago.');
  entry.stamp = `1:${key}`;
  return entry;
}

it('knows an entry from the second time on that it is asked about', () => {
  const keys = new TrackedKeys();
  expect(keys.entry({ view: 'note', key: 'a' }, nameOf)).toBeUndefined();
  expect(keys.entry({ view: 'note', key: 'a' }, nameOf)).toEqual({ name: 'note:a', stamp: undefined });
  expect(keys.entry({ view: 'other', key: 'a' }, nameOf)).toBeUndefined();
});

it('gives up what has changed, and nothing else', () => {
  const keys = new TrackedKeys();
  const [a, b] = [known(keys, 'a'), known(keys, 'b')];
  const meta = keys.meta('meta');
  meta.guard = guard;
  keys.changed('note:a');
  expect([a.stamp, b.stamp, meta.guard]).toEqual([undefined, '1:b', guard]);
  keys.changed('meta');
  expect([b.stamp, meta.guard, keys.meta('meta')]).toEqual(['1:b', undefined, meta]);
});

it('gives up everything at once', () => {
  const keys = new TrackedKeys();
  const [a, b] = [known(keys, 'a'), known(keys, 'b', 'other')];
  keys.meta('meta').guard = guard;
  keys.clear();
  expect([a.stamp, b.stamp, keys.meta('meta').guard]).toEqual([undefined, undefined, undefined]);
});

it('keeps what is asked about again, and hears of its changes', () => {
  const keys = new TrackedKeys();
  const often = known(keys, 'often');
  for (let at = 0; at < MANY; at++) {
    known(keys, `once ${at}`);
    if (at % 1_000 === 0) expect(keys.entry({ view: 'note', key: 'often' }, nameOf)).toBe(often);
  }
  expect(often.stamp).toBe('1:often');
  keys.changed('note:often');
  expect(often.stamp).toBeUndefined();
});

it('forgets what is not asked about again, and what is forgotten stands no more', () => {
  const keys = new TrackedKeys();
  const once = known(keys, 'once');
  for (let at = 0; at < MANY; at++) known(keys, `other ${at}`);
  expect(once.stamp).toBeUndefined(); // nobody would hear of its changes
  expect(keys.entry({ view: 'note', key: 'once' }, nameOf)).toBeUndefined();
});
