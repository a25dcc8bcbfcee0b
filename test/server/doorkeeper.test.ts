// What was met before lately is told from what is met for the first time, in a bounded memory and with few mistakes.

import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { Doorkeeper } from '../../src/server/doorkeeper.js';

const digestOf = (name: string) => hash('sha256', name, 'binary');
const meetAll = (doorkeeper: Doorkeeper, prefix: string, count: number) => {
  let known = 0;
  for (let at = 0; at < count; at++) if (doorkeeper.meet(digestOf(`${prefix} ${at}`))) known += 1;
  return known;
};

it('knows whatever was among the last 16,384 new names', () => {
  const doorkeeper = new Doorkeeper(16_384);
  meetAll(doorkeeper, 'before', 30_000);
  meetAll(doorkeeper, 'lately', 16_000);
  expect(meetAll(doorkeeper, 'lately', 16_000)).toBe(16_000);
});

it('takes few for known that it has not met, however many have come', () => {
  const doorkeeper = new Doorkeeper(16_384);
  meetAll(doorkeeper, 'before', 100_000);
  expect(meetAll(doorkeeper, 'new', 10_000)).toBeLessThan(1_000);
});

it('forgets what was not met for long', () => {
  const doorkeeper = new Doorkeeper(16_384);
  meetAll(doorkeeper, 'old', 1_000);
  meetAll(doorkeeper, 'since', 40_000);
  expect(meetAll(doorkeeper, 'old', 1_000)).toBeLessThan(150);
});
