// When requests begin: at once, or in the order in which they came, and how many may wait.

import { describe, expect, it } from 'vitest';
import { type Loop, Turns } from '../../src/server/turns.js';

/** A loop that turns when told to; what is begun takes the time that it says. */
function slowLoop() {
  let nowMs = 0;
  let next: (() => void)[] = [];
  const settling: (() => void)[] = [];
  const settle = () => {
    for (let act = settling.shift(); act; act = settling.shift()) act();
  };
  const loop: Loop = {
    nowMs: () => nowMs,
    nextTurn: (act) => void next.push(act),
    settled: (act) => void settling.push(act),
  };
  return {
    loop,
    take: (ms: number) => {
      nowMs += ms;
    },
    turn: () => {
      const due = next;
      next = [];
      for (const act of due) {
        act();
        settle();
      }
    },
    idle: () => next.length === 0,
  };
}

function started() {
  const clock = slowLoop();
  const crowd = { isThere: false };
  const turns = new Turns(() => crowd.isThere, clock.loop);
  const begun: string[] = [];
  const work = (name: string, ms: number) => (): boolean => {
    begun.push(name);
    clock.take(ms);
    return true;
  };
  return { ...clock, crowd, turns, begun, work };
}

describe('a request begins', () => {
  it('at once, as long as the turn has time', () => {
    const { turns, begun, work, turn, idle } = started();
    for (const name of ['a', 'b', 'c']) turns.begin(work(name, 3));
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(turns.waiting).toBe(0);
    turn();
    expect(idle()).toBe(true);
  });

  it('in a later turn, in the order in which they came, once the time of this one is used up', () => {
    const { turns, begun, work, turn } = started();
    for (const name of ['a', 'b', 'c', 'd', 'e']) turns.begin(work(name, 5));
    expect(begun).toEqual(['a', 'b']);
    turn();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    turns.begin(work('f', 5));
    turn();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(turns.waiting).toBe(0);
  });

  it('once fewer are at work, unless it is urgent, and until then the loop has nothing to do', () => {
    const { turns, begun, work, turn, idle, crowd } = started();
    crowd.isThere = true;
    for (const name of ['a', 'b', 'c']) turns.begin(work(name, 1));
    turns.beginUrgent(work('urgent', 1));
    expect(begun).toEqual(['urgent']);
    turn();
    expect(idle()).toBe(true);
    crowd.isThere = false;
    turns.begin(() => {
      crowd.isThere = true; // the last in line makes it crowded again
      return true;
    });
    turns.goOn();
    turns.goOn();
    expect(begun).toEqual(['urgent']);
    turn();
    expect(begun).toEqual(['urgent', 'a', 'b', 'c']);
    turn();
    expect(idle()).toBe(true);
    turns.goOn();
    expect(idle()).toBe(true);
  });

  it('before those who wait, where it is urgent', () => {
    const { turns, begun, work, turn } = started();
    turns.begin(work('a', 10));
    for (const name of ['b', 'c']) turns.begin(work(name, 10));
    for (const name of ['first', 'second']) turns.beginUrgent(work(name, 10));
    expect(turns.urgent).toBe(2);
    for (let count = 4; count > 0; count--) turn();
    expect(begun).toEqual(['a', 'first', 'second', 'b', 'c']);
  });

  it('one in each turn at least, however long each takes', () => {
    const { turns, begun, work, turn } = started();
    for (const name of ['a', 'b', 'c']) turns.begin(work(name, 1_000));
    turn();
    expect(begun).toEqual(['a', 'b']);
    turn();
    expect(begun).toEqual(['a', 'b', 'c']);
  });
});

describe('those who wait', () => {
  const waiting = (turns: Turns, work: () => boolean) => {
    let count = 0;
    for (; !turns.isFull && count < 100_000; count++) turns.begin(work);
    return turns.waiting;
  };

  it('are a hundred however slow the machine is: so many who wait for each answer never find the line full', () => {
    const { turns, work, turn } = started();
    const slow = work('', 1_000);
    for (let time = 0; time < 100; time++) {
      expect(waiting(turns, slow)).toBe(100);
      turn();
    }
  });

  it('are as many as are begun in 0.8 s where that is more', () => {
    const { turns, work, turn } = started();
    const fast = work('', 0.1);
    for (let time = 0; time < 200; time++) {
      waiting(turns, fast);
      turn();
    }
    const count = waiting(turns, fast);
    expect(count).toBeGreaterThan(6_400);
    expect(count).toBeLessThan(9_600);
  });

  it('are half as many where as much time again goes by between turns', () => {
    const { turns, work, turn, take } = started();
    const fast = work('', 0.1);
    for (let time = 0; time < 200; time++) {
      waiting(turns, fast);
      turn();
      take(10);
    }
    const count = waiting(turns, fast);
    expect(count).toBeGreaterThan(3_200);
    expect(count).toBeLessThan(4_800);
  });

  it('are as many as a store lets begin, however fast they begin', () => {
    const { turns, work, turn, take, crowd } = started();
    const fast = work('', 0.01);
    let free = 0;
    crowd.isThere = true;
    const one = () => {
      crowd.isThere = --free <= 0;
      return fast();
    };
    for (let time = 0; time < 50; time++) {
      waiting(turns, one);
      take(100);
      free = 100; // in each hundred milliseconds a hundred places
      crowd.isThere = false;
      turns.goOn();
      turn();
    }
    const count = waiting(turns, fast);
    expect(count).toBeGreaterThan(500);
    expect(count).toBeLessThan(1_100);
  });

  it('are as many where all who wait begin at once, each time that the store answers', () => {
    const { turns, work, turn, take, crowd } = started();
    const fast = work('', 0.001);
    for (let time = 0; time < 50; time++) {
      crowd.isThere = true;
      for (let count = 0; count < 60; count++) turns.begin(fast);
      turn();
      take(100);
      crowd.isThere = false;
      turns.goOn();
      turn();
      turn();
    }
    crowd.isThere = true;
    const count = waiting(turns, fast);
    expect(count).toBeGreaterThan(350);
    expect(count).toBeLessThan(650);
  });

  it('become fewer over seconds, not at once, where fewer are begun', () => {
    const { turns, work, turn, take } = started();
    const counts: number[] = [];
    for (const [turnsTaken, betweenMs] of [
      [200, 0],
      [20, 90],
      [200, 90],
    ] as const) {
      for (let time = 0; time < turnsTaken; time++) {
        waiting(turns, work('', 0.1));
        turn();
        take(betweenMs);
      }
      counts.push(waiting(turns, work('', 0.1)));
    }
    const [before = 0, soon = 0, later = 0] = counts;
    expect(soon).toBeGreaterThan(before / 2);
    expect(later).toBeLessThan(before / 5);
  });

  it('are no more for those who have gone', () => {
    const { turns, work, turn } = started();
    const gone = work('', 0.1);
    for (let time = 0; time < 100; time++) {
      waiting(turns, () => !gone());
      turn();
    }
    expect(waiting(turns, gone)).toBe(100);
  });
});
