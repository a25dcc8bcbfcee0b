// When it is written down that flags are evaluated. Apart from all gateways: they would stand still with the clock.
import { expect, it, vi } from 'vitest';
import { FlagUses } from '../../src/resolvers/flag-uses.js';

it('writes once soon after a silence, and then at most once a minute, however many are evaluated', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const batches: number[] = [];
    const uses = new FlagUses(async () => {
      batches.push(performance.now());
      return [];
    });
    const startedMs = performance.now();
    for (let second = 0; second < 300; second += 1) {
      for (let each = 0; each < 100; each += 1) uses.note('e', `k${each}`, second);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(batches.map((at) => Math.round((at - startedMs) / 1_000))).toEqual([5, 65, 125, 185, 245]);
  } finally {
    vi.useRealTimers();
  }
});

it('keeps what could not be written for the next time', async () => {
  const written: unknown[] = [];
  let works = false;
  const uses = new FlagUses(async (statement) => {
    if (!works) throw new Error('no database');
    written.push(statement);
    return [];
  });
  uses.note('e', 'k', 1);
  await uses.flush();
  works = true;
  await uses.flush();
  await uses.flush();
  expect(written).toHaveLength(1);
});
