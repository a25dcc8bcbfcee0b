// The checker against planted violations: what it must report, and what it must let pass.
import { describe, expect, it } from 'vitest';
import { Checker } from './checker.js';
import type { Violation } from './violation.js';

function setUp({ excuse, repeats = false }: { excuse?: string; repeats?: boolean } = {}) {
  const violations: Violation[] = [];
  let ms = 1;
  const checker = new Checker({
    nowMs: () => ms,
    excuse: () => excuse,
    onViolation: (violation) => violations.push(violation),
  });
  checker.open('k', repeats ? null : '0', 1, repeats);
  return {
    checker,
    kinds: () => violations.map(({ kind }) => kind),
    read: (value: string | null, version?: number, stale = false) =>
      checker.beginRead('k')({ value, version, stale }, 'g1'),
    written: (value: string | null, version: number, visible = true) =>
      checker.beginWrite('k', value).acknowledge(version, visible),
    wait: (forMs: number) => {
      ms += forMs;
    },
  };
}

describe('a read', () => {
  it('older than what was acknowledged before it began is stale', () => {
    const { read, written, kinds } = setUp();
    written('1', 2);
    read('0', 1);
    expect(kinds()).toEqual(['stale']);
  });

  it('that began before the acknowledgement may be older', () => {
    const { checker, written, kinds } = setUp();
    const end = checker.beginRead('k');
    written('1', 2);
    end({ value: '0', version: 1 }, 'g1');
    expect(kinds()).toEqual([]);
  });

  it('is held to the newest acknowledgement, whatever order they came in', () => {
    const { read, written, kinds } = setUp();
    written('2', 3);
    written('1', 2);
    read('1', 2);
    expect(kinds()).toEqual(['stale']);
  });

  it('may show what was never acknowledged as visible, and need not', () => {
    const { checker, read, written, kinds } = setUp();
    written('1', 2, false);
    checker.beginWrite('k', '2').lose();
    read('0', 1);
    read('2', 3);
    expect(kinds()).toEqual([]);
  });

  it('marked stale is counted and not held to anything but having been written', () => {
    const { checker, read, written, kinds } = setUp();
    written('1', 2);
    read('0', 1, true);
    expect(kinds()).toEqual([]);
    expect(checker.staleAnswers).toBe(1);
    read('9', 9, true);
    expect(kinds()).toEqual(['invented']);
  });

  it('of what nobody wrote is invented', () => {
    const { read, kinds } = setUp();
    read('7', 7);
    expect(kinds()).toEqual(['invented']);
  });

  it('of what its writer was told is not written is a phantom, before and after', () => {
    const { checker, read, kinds } = setUp();
    const early = checker.beginWrite('k', '1');
    read('1', 2);
    early.refuse();
    const late = checker.beginWrite('k', '2');
    late.refuse();
    read('2', 3);
    expect(kinds()).toEqual(['phantom', 'phantom']);
  });

  it('of a value under another version than its receipt named is a mismatch, before and after', () => {
    const { checker, read, written, kinds } = setUp();
    written('1', 2);
    read('1', 3);
    const late = checker.beginWrite('k', '2');
    read('2', 4);
    late.acknowledge(5, true);
    expect(kinds()).toEqual(['mismatch', 'mismatch']);
  });
});

describe('an older answer after a newer one', () => {
  it('is an inversion', () => {
    const { checker, read, kinds } = setUp();
    checker.beginWrite('k', '1');
    read('1', 2);
    read('0', 1);
    expect(kinds()).toEqual(['inversion']);
  });

  it('is none while the two reads overlap', () => {
    const { checker, read, kinds } = setUp();
    checker.beginWrite('k', '1');
    const end = checker.beginRead('k');
    read('1', 2);
    end({ value: '0', version: 1 }, 'g1');
    expect(kinds()).toEqual([]);
  });

  it('is excused around an edit and a failover, and counted', () => {
    const edited = setUp();
    edited.checker.beginWrite('k', '1', 'edit');
    edited.read('1', 2);
    edited.read('0', 1);
    expect([...edited.checker.excused]).toEqual([['edit', 1]]);
    const failedOver = setUp({ excuse: 'failover' });
    failedOver.checker.beginWrite('k', '1');
    failedOver.read('1', 2);
    failedOver.read('0', 1);
    expect([...failedOver.checker.excused]).toEqual([['failover', 1]]);
    expect([...edited.kinds(), ...failedOver.kinds()]).toEqual([]);
  });
});

describe('an answer without a version', () => {
  it('of nothing is stale when something was acknowledged since the last removal', () => {
    const { read, written, kinds } = setUp();
    written(null, 2);
    read(null);
    written('1', 3);
    read(null);
    expect(kinds()).toEqual(['stale']);
  });

  it('of nothing may come from a removal that was the newest when the read began', () => {
    const { checker, written, kinds } = setUp();
    written(null, 2);
    const end = checker.beginRead('k');
    written('1', 3);
    end({ value: null }, 'g1');
    expect(kinds()).toEqual([]);
  });

  it('of nothing may come from a removal on its way', () => {
    const { checker, read, kinds } = setUp();
    checker.beginWrite('k', null);
    read(null);
    expect(kinds()).toEqual([]);
  });

  it('of nothing may come from a removal that got lost, until a write that began long after it', () => {
    const { checker, read, wait, written, kinds } = setUp();
    checker.beginWrite('k', null).lose();
    written('soon', 2);
    read(null);
    wait(61_000);
    read(null);
    expect(kinds()).toEqual([]);
    written('late', 3);
    read(null);
    expect(kinds()).toEqual(['stale']);
  });

  it('of a value that comes again must come from the newest write, or one on its way', () => {
    const { checker, read, written, kinds } = setUp({ repeats: true });
    written('in', 2);
    read('in');
    read(null);
    written(null, 3);
    read(null);
    read('in');
    expect(kinds()).toEqual(['stale', 'stale']);
    const adding = checker.beginWrite('k', 'in');
    read('in');
    read(null);
    adding.refuse();
    read('in');
    expect(kinds()).toEqual(['stale', 'stale', 'stale']);
  });
});

it('counts what was read and written, and tells what must stand in the end', () => {
  const { checker, read, written } = setUp();
  written('1', 2);
  written('2', 3, false);
  checker.beginWrite('k', '3').refuse();
  checker.beginWrite('k', '4').lose();
  read('1', 2);
  expect(checker.reads).toBe(1);
  expect(checker.writes).toEqual({ visible: 1, invisible: 1, refused: 1, lost: 1 });
  expect(checker.expected()).toEqual([{ key: 'k', version: 2, value: '1' }]);
});
