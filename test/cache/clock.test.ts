// The clock that leases are measured by.
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock, unsuspended } from '../../src/cache/clock.js';

let monotonicMs: number;
let wallMs: number;
let nowMs: () => number;
const passed = (ms: number) => {
  monotonicMs += ms;
  wallMs += ms;
};

beforeEach(() => {
  [monotonicMs, wallMs] = [1_000, 1_800_000_000_000];
  nowMs = unsuspended(
    () => monotonicMs,
    () => wallMs,
  );
});

describe('the time that has passed', () => {
  it('is what the monotonic clock says, while both clocks run', () => {
    const before = nowMs();
    passed(700);
    expect(nowMs() - before).toBe(700);
  });

  it('counts a suspension, during which the monotonic clock stands still', () => {
    const before = nowMs();
    wallMs += 60_000;
    expect(nowMs() - before).toBe(60_000);
    passed(10);
    expect(nowMs() - before).toBe(60_010);
  });

  it('never goes back, and goes on as before, when the wall clock is set back', () => {
    const before = nowMs();
    wallMs -= 3_600_000;
    passed(10);
    expect(nowMs() - before).toBe(10);
    wallMs += 5_000;
    expect(nowMs() - before).toBe(5_010);
  });

  it('is not changed by a wall clock that is made to run a little faster', () => {
    const before = nowMs();
    for (let second = 0; second < 3_600; second++) {
      passed(1_000);
      wallMs += 0.5;
      nowMs();
    }
    expect(nowMs() - before).toBe(3_600_000);
  });

  it('does not count a process that stood still between its looks at the two clocks', () => {
    let stall = () => {};
    nowMs = unsuspended(
      () => monotonicMs,
      () => {
        stall();
        return wallMs;
      },
    );
    const before = nowMs();
    stall = () => {
      passed(2_000);
      stall = () => {};
    };
    nowMs();
    expect(nowMs() - before).toBe(2_000);
  });
});

it('of the system goes on', async () => {
  const before = systemClock.nowMs();
  await systemClock.sleep(5);
  expect(systemClock.nowMs()).toBeGreaterThan(before);
});
