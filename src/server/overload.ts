// How many requests are at work, and which are turned away while the process has more to do than it can. Of the places a
// fifth is kept for mutations, so that a token can be revoked under any load of queries.

import { Refusal } from './refusal.js';

const keptShare = 0.2;
/** So many clients, each waiting for its answer, are no overload however slow the machine or a store is; of more, some wait. */
export const fewClients = 100;
/** At an even pace, answers take twice as long as those at work have been there on average: half a second at most. */
const meanAgeMs = 250;

/** What is remembered of a request that seeks to be let in. */
export interface Seeking {
  isVouchedFor?: boolean;
  isAdmitted?: boolean;
}

export interface PlacesOptions {
  readonly limit: number;
  /** Whether a query that comes now would begin too late. */
  readonly isLate: () => boolean;
  /** A place was given back, and it is not crowded. */
  readonly onRoom?: () => void;
  readonly nowMs?: () => number;
}

/** Places for the requests at work. */
export class Places {
  readonly #limit: number;
  readonly #isLate: () => boolean;
  readonly #nowMs: () => number;
  readonly #onRoom: () => void;
  #taken = 0;
  /** The sum of when each was taken. */
  #sinceMs = 0;

  constructor({ limit, isLate, onRoom = () => {}, nowMs = () => performance.now() }: PlacesOptions) {
    this.#limit = limit;
    this.#isLate = isLate;
    this.#onRoom = onRoom;
    this.#nowMs = nowMs;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whether so many are at work that more would only keep each other's answers waiting. */
  areCrowded(): boolean {
    return this.#taken >= Math.min(fewClients, this.#limit * (1 - keptShare));
  }

  /** Whether a query that comes now should be turned away. */
  areFull(): boolean {
    return this.#taken >= this.#limit * (1 - keptShare) || this.#areSlow() || this.#isLate();
  }

  /** Whether so many that wait will take what is left, even for mutations. */
  areAllTaken(waiting: number): boolean {
    return this.#taken + waiting >= this.#limit;
  }

  /** Takes a place; the function gives it back, once. @throws {Refusal} when none is left. */
  enter(): () => void {
    if (this.#taken >= this.#limit) throw overloaded;
    const nowMs = this.#nowMs();
    this.#taken += 1;
    this.#sinceMs += nowMs;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken -= 1;
      this.#sinceMs = this.#taken > 0 ? this.#sinceMs - nowMs : 0;
      if (!this.areCrowded()) this.#onRoom();
    };
  }

  /** Lets `request` in as one that came in time, however late it is by the time that it is known to be a query. */
  vouchFor(request: Seeking): void {
    request.isVouchedFor = true;
  }

  /**
   * Asked as soon as a request is known to be a query, and again where that is known for certain: the same `request` is let
   * in once for all. @throws {Refusal} when a query that has entered cannot be served.
   */
  admitQuery(request?: Seeking): void {
    if (request?.isAdmitted) return;
    if (this.#taken > this.#limit * (1 - keptShare)) throw overloaded;
    if (!request?.isVouchedFor && (this.#areSlow() || this.#isLate())) throw overloaded;
    if (request) request.isAdmitted = true;
  }

  /** Whether a store or this process takes too long for what is at work already. */
  #areSlow(): boolean {
    return this.#taken >= fewClients && this.#nowMs() - this.#sinceMs / this.#taken > meanAgeMs;
  }
}

/** One for all: the trace of its stack would cost as much as the rest of the refusal. */
export const overloaded = new Refusal('OVERLOADED', 'This gateway has more to do than it can; try again in a second.');
