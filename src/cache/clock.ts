// Time as the engine sees it: monotonic milliseconds and timers, handed in so that tests may own them.

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs `act` once everything that is ready now has run: what is asked for until then goes into one batch. */
  readonly defer: (act: () => void) => void;
}

/** The machine's monotonic clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
  defer: (act) => void setImmediate(act),
};
