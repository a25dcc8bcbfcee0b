// The checker finds what is planted, and nothing else.
import { beforeEach, describe, expect, it } from 'vitest';
import { Checker } from './checker.js';

describe('the checker', () => {
  let checker: Checker;
  beforeEach(() => {
    checker = new Checker();
    for (const [version, fencedAt] of [
      ['1', undefined],
      ['2', 0],
      ['3', 0],
    ] as const) {
      checker.committed('a', { version, value: version, fencedAt });
    }
  });
  const read = (version: string, value: string | null = version) => {
    const reading = checker.beginRead('a');
    return () => checker.endRead(reading, version, value);
  };
  const kinds = () => checker.violations.map(({ kind }) => kind);

  it('takes any committed version while nothing is acknowledged or read', () => {
    read('2')();
    read('3')();
    expect(kinds()).toEqual([]);
    expect(checker.reads).toBe(2);
  });

  it('finds a read that is older than a write acknowledged before it began', () => {
    const early = read('1');
    checker.acknowledge('a', '2');
    early();
    expect(kinds()).toEqual([]);
    read('1')();
    expect(kinds()).toContain('stale');
  });

  it('goes by the order of commits, not by the numbers of versions', () => {
    checker.committed('b', { version: '9', value: '9', fencedAt: undefined });
    checker.committed('b', { version: '8', value: '8', fencedAt: undefined });
    checker.acknowledge('b', '8');
    checker.endRead(checker.beginRead('b'), '9', '9');
    expect(kinds()).toEqual(['stale']);
  });

  it('keeps the newest acknowledgement, whatever order they come in', () => {
    checker.acknowledge('a', '3');
    checker.acknowledge('a', '1');
    read('2')();
    expect(kinds()).toEqual(['stale']);
  });

  it('finds an old value after a new one, where a fence hid the old one', () => {
    read('3')();
    read('2')();
    expect(kinds()).toEqual(['inversion']);
  });

  it('allows an old value beside a read that had not ended', () => {
    const beside = read('2');
    read('3')();
    beside();
    expect(kinds()).toEqual([]);
  });

  it('allows old after new where the new one was not fenced, or its fence may be lost', () => {
    checker.committed('a', { version: '4', value: '4', fencedAt: undefined });
    read('4')();
    read('3')();
    expect(kinds()).toEqual([]);
    checker.disturbances++;
    read('1')();
    expect(kinds()).toEqual([]);
  });

  it('finds what was never committed, and what is not the value of its version', () => {
    read('7')();
    read('2', '5')();
    expect(kinds()).toEqual(['future', 'torn']);
  });

  it('takes version 0 for an entry that never was', () => {
    checker.endRead(checker.beginRead('c'), '0', null);
    expect(kinds()).toEqual([]);
    read('0', null)();
    expect(kinds()).toEqual([]);
    checker.acknowledge('a', '1');
    read('0', null)();
    expect(kinds()).toEqual(['stale']);
  });

  it('finds an acknowledged write that Postgres does not have', () => {
    checker.acknowledge('a', '5');
    checker.endsWith('a', '2');
    expect(kinds()).toEqual(['lost', 'lost']);
  });

  it('finds a store that stays behind, and a gateway that stays in doubt', () => {
    checker.holds('a', '2');
    checker.holds('a', '3');
    checker.stuck('g1');
    expect(kinds()).toEqual(['diverged', 'stuck']);
  });
});
