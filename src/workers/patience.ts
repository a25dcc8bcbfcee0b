// How often a worker that dies is started anew, and when that is given up.
//
// A worker that has served for `settledMs` is as good as new: whatever killed it came from outside, or is rare. One that dies
// before is started after a pause that doubles each time; dying so `most` times in a row is a fault that repeats.

export interface Patience {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly settledMs: number;
  readonly most: number;
}

/** Eight deaths take half a minute at least: a store that restarts meanwhile does not end the workers that still serve. */
export const DEFAULT_PATIENCE: Patience = { firstPauseMs: 250, longestPauseMs: 10_000, settledMs: 10_000, most: 8 };

/** The deaths of one worker and of those started in its place. */
export class Deaths {
  readonly #patience: Patience;
  #early = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** How many came early, one after the other. */
  get early(): number {
    return this.#early;
  }

  /** After how long to start the next one, or that there should be none. `servedMs` is undefined for one that never served. */
  after(servedMs: number | undefined): { readonly pauseMs: number } | 'give up' {
    const { firstPauseMs, longestPauseMs, settledMs, most } = this.#patience;
    this.#early = servedMs !== undefined && servedMs >= settledMs ? 0 : this.#early + 1;
    if (this.#early >= most) return 'give up';
    return { pauseMs: Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, this.#early - 1)) };
  }
}
