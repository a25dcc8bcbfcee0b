// When requests begin. While the process keeps up, at once; otherwise in the order in which they came: only so many in one
// turn of the event loop that answers which are due, and health above all, come in between, and only while few are at work.
// Who waits costs next to nothing; a request at work costs the more, the longer others at work keep its answer waiting.

import { fewest } from './overload.js';

/** What tells the time, and when to go on; Node's event loop unless given. */
export interface Loop {
  readonly nowMs: () => number;
  /** Runs `act` once everything that has arrived by now was read. */
  readonly nextTurn: (act: () => void) => void;
  /** Runs `act` once what was begun has come to where it waits for somebody else. */
  readonly settled: (act: () => void) => void;
}

/** For how long a turn begins requests: two such turns are well below what probes of health put up with. */
const turnMs = 10;
/** As many wait as can be begun in this time, and never fewer than {@link fewest}. */
const patienceMs = 500;
/** The weight of the last turn in how many are begun in a millisecond. */
const weight = 0.1;

const nodeLoop: Loop = {
  nowMs: () => performance.now(),
  nextTurn: (act) => void setImmediate(act),
  settled: (act) => queueMicrotask(() => process.nextTick(act)), // microtasks run dry before the next tick
};

export class Turns {
  readonly #isCrowded: () => boolean;
  readonly #loop: Loop;
  /** In both, who came first stands first. */
  readonly #urgent: (() => void)[] = [];
  readonly #line: (() => void)[] = [];
  /** When the turn began; undefined where nothing was begun in it. */
  #sinceMs: number | undefined;
  #begun = 0;
  #perMs = 0;

  /** `isCrowded` says whether as many are at work as should be: what is not urgent waits until one of them has ended. */
  constructor(isCrowded: () => boolean, loop: Loop = nodeLoop) {
    this.#isCrowded = isCrowded;
    this.#loop = loop;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length + this.#urgent.length;
  }

  /** How many of them are urgent. */
  get urgent(): number {
    return this.#urgent.length;
  }

  /** Whether as many wait as should: who comes now would have its answer too late. */
  get isFull(): boolean {
    return this.#line.length >= Math.max(fewest, this.#perMs * patienceMs);
  }

  /** Begins `act` in its turn. */
  begin(act: () => void): void {
    if (this.#isOver() || this.waiting > 0 || this.#isCrowded()) this.#line.push(act);
    else act();
  }

  /** Begins `act` before all that is not urgent. */
  beginUrgent(act: () => void): void {
    if (this.#urgent.length > 0 || this.#isOver()) this.#urgent.push(act);
    else act();
  }

  /** Whether this turn has had its time; the first to ask opens it. */
  #isOver(): boolean {
    const nowMs = this.#loop.nowMs();
    if (this.#sinceMs !== undefined) return nowMs - this.#sinceMs >= turnMs;
    this.#sinceMs = nowMs;
    this.#loop.nextTurn(this.#next);
    return false;
  }

  readonly #next = (): void => {
    const nowMs = this.#loop.nowMs();
    if (this.#begun > 0 && this.waiting > 0 && this.#sinceMs !== undefined) {
      this.#perMs += weight * (this.#begun / Math.max(1, nowMs - this.#sinceMs) - this.#perMs);
    }
    this.#begun = 0;
    this.#sinceMs = undefined;
    if (this.waiting > 0 && !this.#isOver()) this.#serve();
  };

  readonly #serve = (): void => {
    const act = this.#urgent.shift() ?? (this.#isCrowded() ? undefined : this.#line.shift());
    if (!act) return;
    this.#begun += 1;
    act();
    this.#loop.settled(() => {
      if (!this.#isOver()) this.#serve();
    });
  };
}
