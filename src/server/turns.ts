// When requests begin. While the process keeps up, at once; otherwise in the order in which they came: only so many in one
// turn of the event loop that answers which are due, and health above all, come in between, and only while few are at work.
// Who waits costs next to nothing; a request at work costs the more, the longer others at work keep its answer waiting.

import { fewClients } from './overload.js';

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
/** As many wait as can be begun in this time at the best pace of late, and never fewer than {@link fewClients}. */
const patienceMs = 800;
/** How far back it counts how many were begun in a millisecond. */
const memoryMs = 100;
/** How long a better pace is remembered: to turn many away makes it worse, and should not make the line shorter at once. */
const bestMs = 5_000;

const nodeLoop: Loop = {
  nowMs: () => performance.now(),
  nextTurn: (act) => void setImmediate(act),
  settled: (act) => queueMicrotask(() => process.nextTick(act)), // microtasks run dry before the next tick
};

/** Begins a request; false where it has gone meanwhile. */
export type Act = () => boolean;

export class Turns {
  readonly #isCrowded: () => boolean;
  readonly #loop: Loop;
  /** In both, who came first stands first. */
  readonly #urgent: Act[] = [];
  readonly #line: Act[] = [];
  /** When this turn began to begin requests. */
  #sinceMs: number | undefined;
  /** Whether another turn is due. */
  #isDue = false;
  /** Since when somebody has waited in line, as far as that is not in the pace already. */
  #waitedSinceMs: number | undefined;
  /** How many of the line were begun since. */
  #begun = 0;
  /** How many of the line are begun in a millisecond, while there is one. */
  #perMs = 0;
  /** The best of it lately. */
  #bestPerMs = 0;

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
    return this.#line.length >= Math.max(fewClients, this.#bestPerMs * patienceMs);
  }

  /** Begins `act` in its turn. */
  begin(act: Act): void {
    if (this.#isOver() || this.waiting > 0 || this.#isCrowded()) this.#line.push(act);
    else act();
  }

  /** Begins `act` before all that is not urgent. */
  beginUrgent(act: Act): void {
    if (this.#urgent.length > 0 || this.#isOver()) this.#urgent.push(act);
    else act();
  }

  /** To be called whenever it is crowded no more: until then nothing looks after those who wait. */
  goOn(): void {
    if (this.#line.length > 0) this.#takeTurn();
  }

  /** Whether this turn has had its time; the first to ask opens it. */
  #isOver(): boolean {
    const nowMs = this.#loop.nowMs();
    if (this.#sinceMs !== undefined) return nowMs - this.#sinceMs >= turnMs;
    this.#sinceMs = nowMs;
    this.#takeTurn();
    return false;
  }

  #takeTurn(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#loop.nextTurn(this.#next);
  }

  readonly #next = (): void => {
    this.#isDue = false;
    this.#sinceMs = undefined;
    this.#measure();
    const canGoOn = this.#urgent.length > 0 || (this.#line.length > 0 && !this.#isCrowded());
    if (canGoOn && !this.#isOver()) this.#serve();
  };

  /**
   * What comes between turns counts, and so does time in which none could be begun, together with those who are begun then:
   * it is the pace of the line that matters.
   */
  #measure(): void {
    const nowMs = this.#loop.nowMs();
    const hasLine = this.#line.length > 0;
    if (this.#waitedSinceMs !== undefined) {
      const tookMs = nowMs - this.#waitedSinceMs;
      if (hasLine && (this.#begun === 0 || tookMs < turnMs)) return;
      if (tookMs >= turnMs) this.#note(this.#begun / tookMs, tookMs);
    }
    this.#begun = 0;
    this.#waitedSinceMs = hasLine ? nowMs : undefined;
  }

  #note(perMs: number, tookMs: number): void {
    this.#perMs += (1 - Math.exp(-tookMs / memoryMs)) * (perMs - this.#perMs);
    this.#bestPerMs = Math.max(this.#perMs, this.#bestPerMs * Math.exp(-tookMs / bestMs));
  }

  readonly #serve = (): void => {
    const urgent = this.#urgent.shift();
    const act = urgent ?? (this.#isCrowded() ? undefined : this.#line.shift());
    if (!act) return;
    if (act() && !urgent) this.#begun += 1;
    this.#loop.settled(() => {
      if (!this.#isOver()) this.#serve();
    });
  };
}
