// How many requests are at work, and which are turned away while the process has more to do than it can. Of the places a
// fifth is kept for mutations, so that a token can be revoked under any load of queries.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Refusal } from './refusal.js';
import type { TrustedDocuments } from './trusted-documents.js';

export interface Load {
  /** How late the event loop ran lately, in ms. */
  readonly delayMs: () => number;
  readonly close: () => void;
}

const sampleMs = 100;
const resolutionMs = 10;
const keptShare = 0.2;
/** So many clients, each waiting for its answer, are no overload however slow the machine or a store is; of more, some wait. */
export const fewest = 100;
/** At an even pace, answers take twice as long as those at work have been there on average: half a second at most. */
const meanAgeMs = 250;

/** Watches the event loop of this process. */
export function watchLoad(): Load {
  const histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let delayMs = 0;
  const timer = setInterval(() => {
    const meanMs = histogram.count > 0 ? histogram.mean / 1e6 - resolutionMs : 0;
    delayMs = Math.max(0, (delayMs + meanMs) / 2);
    histogram.reset();
  }, sampleMs).unref();
  return {
    delayMs: () => delayMs,
    close: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** What is remembered of a request that seeks to be let in. */
export interface Seeking {
  isVouchedFor?: boolean;
  isAdmitted?: boolean;
}

/** Places for the requests at work. */
export class Places {
  readonly #limit: number;
  readonly #isLate: () => boolean;
  readonly #nowMs: () => number;
  #taken = 0;
  /** The sum of when each was taken. */
  #sinceMs = 0;

  /** `isLate` says whether a query that comes now would begin too late. */
  constructor(limit: number, isLate: () => boolean, nowMs: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#isLate = isLate;
    this.#nowMs = nowMs;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whether so many are at work that more would only keep each other's answers waiting. */
  areCrowded(): boolean {
    return this.#taken >= Math.min(fewest, this.#limit * (1 - keptShare));
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
    return this.#taken >= fewest && this.#nowMs() - this.#sinceMs / this.#taken > meanAgeMs;
  }
}

/**
 * Whether a body can ask for a mutation, told without reading it: a refusal must cost next to nothing, or a gateway that is
 * overloaded does little else. Documents named by their hash may hold anything.
 */
export function mayMutate(body: Buffer): boolean {
  return body.includes(mark) || namesDocument(body);
}

/** The same, for those who know which documents are `trusted`. */
export function mayMutateAmong(trusted: TrustedDocuments): (body: Buffer) => boolean {
  const queries = new Set([...trusted].flatMap(([hash, text]) => (text.includes(mark) ? [] : [hash])));
  return (body) => {
    if (body.includes(mark)) return true;
    if (!namesDocument(body)) return false;
    const hashes = body.toString('latin1').match(anyHash) ?? [];
    return hashes.length === 0 || !hashes.every((hash) => queries.has(hash.toLowerCase()));
  };
}

const mark = 'mutation';
const namesDocument = (body: Buffer) => body.includes('documentId') || body.includes('sha256Hash');
const anyHash = /[\da-f]{64}/gi;

/** One for all: the trace of its stack would cost as much as the rest of the refusal. */
export const overloaded = new Refusal('OVERLOADED', 'This gateway has more to do than it can; try again in a second.');
