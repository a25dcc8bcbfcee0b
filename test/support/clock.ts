// Time that tests move: it runs with the machine's and can be put forward, or stands still until it is.
import { type Clock, systemClock } from '../../src/cache/index.js';

export interface TestClock extends Clock {
  /** Puts the clock forward; sleepers whose time has come wake up. */
  readonly skip: (ms: number) => void;
  /** How many wait for their time now. */
  readonly sleepers: () => number;
}

/** A clock that runs, or one that stands `still`, where not even a slow machine lets anything become due by itself. */
export function testClock({ still = false } = {}): TestClock {
  let skippedMs = 0;
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  const nowMs = () => (still ? 0 : performance.now()) + skippedMs;
  return {
    nowMs,
    sleep: (ms) =>
      new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          clearTimeout(timer);
          resolve();
        };
        const sleeper = { dueMs: nowMs() + ms, wake };
        const timer = still ? undefined : setTimeout(wake, ms);
        sleepers.add(sleeper);
      }),
    defer: systemClock.defer,
    sleepers: () => sleepers.size,
    skip: (ms) => {
      skippedMs += ms;
      for (const sleeper of [...sleepers]) if (sleeper.dueMs <= nowMs()) sleeper.wake();
    },
  };
}
