// Time as the engine sees it: monotonic milliseconds and timers, handed in so that tests may own them.

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs `act` once everything that is ready now has run: what is asked for until then goes into one batch. */
  readonly defer: (act: () => void) => void;
}

/** Less than what a lease leaves for clocks that differ, more than the two clocks are ever apart by rounding. */
const JUMP_MS = 250;

/**
 * Milliseconds that go on while the host is suspended, which Linux's monotonic clock does not: where the wall clock has
 * run ahead of it between two looks, that much more has passed. A wall clock that is set back is not followed.
 */
export function unsuspended(monotonicMs: () => number, wallMs: () => number): () => number {
  let aheadMs = 0;
  let apartMs = wallMs() - monotonicMs();
  return () => {
    const now = monotonicMs();
    let apart = wallMs() - now;
    // This process may have stood still between the two looks.
    if (apart - apartMs > JUMP_MS) apart = Math.min(apart, wallMs() - monotonicMs());
    if (apart - apartMs > JUMP_MS) aheadMs += apart - apartMs;
    apartMs = apart;
    return now + aheadMs;
  };
}

/** The machine's monotonic clock, suspended or not. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: unsuspended(() => performance.now(), Date.now),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
  defer: (act) => void setImmediate(act),
};
