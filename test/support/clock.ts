// Time that runs with the machine's and can be put forward: for what would take too long to wait for.
import type { Clock } from '../../src/cache/index.js';

export interface TestClock extends Clock {
  /** Puts the clock forward; sleepers whose time has come wake up. */
  readonly skip: (ms: number) => void;
}

export function testClock(): TestClock {
  let skippedMs = 0;
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  const nowMs = () => performance.now() + skippedMs;
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
        const timer = setTimeout(wake, ms);
        sleepers.add(sleeper);
      }),
    skip: (ms) => {
      skippedMs += ms;
      for (const sleeper of [...sleepers]) if (sleeper.dueMs <= nowMs()) sleeper.wake();
    },
  };
}
