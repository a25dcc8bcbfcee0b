// Turns requests away while the process has more to do than it can: by the number at work, and by how late the event loop
// runs. Health is never turned away; of the places a fifth is kept for mutations, so that a token can be revoked under any
// load of queries.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Refusal } from './refusal.js';

export interface Load {
  /** How late the event loop ran lately, in ms. */
  readonly delayMs: () => number;
  readonly close: () => void;
}

const sampleMs = 100;
const resolutionMs = 10;
const keptShare = 0.2;
/** Queries are turned away from this delay on, each the likelier the longer it is. */
const fromMs = 40;
const allMs = 120; // health is told as late as the loop runs
/** With fewer at work, lateness is not their doing. */
const fewest = 32;

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

/** Places for the requests at work. */
export class Places {
  readonly #limit: number;
  readonly #delayMs: () => number;
  readonly #random: () => number;
  readonly #admitted = new WeakSet<object>();
  #taken = 0;

  constructor(limit: number, delayMs: () => number, random: () => number = Math.random) {
    this.#limit = limit;
    this.#delayMs = delayMs;
    this.#random = random;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place; the function gives it back, once. @throws {Refusal} when none is left. */
  enter(): () => void {
    if (this.#taken >= this.#limit) throw overloaded;
    this.#taken += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken -= 1;
    };
  }

  /**
   * Asked as soon as a request is known to be a query, and again where that is known for certain: the same `request` is let
   * in once for all. @throws {Refusal} when a query that has entered cannot be served.
   */
  admitQuery(request?: object): void {
    if (request && this.#admitted.has(request)) return;
    if (this.#taken > this.#limit * (1 - keptShare)) throw overloaded;
    const delayMs = this.#delayMs();
    const isLate = delayMs > fromMs && this.#taken >= fewest;
    if (isLate && this.#random() < (delayMs - fromMs) / (allMs - fromMs)) throw overloaded;
    if (request) this.#admitted.add(request);
  }
}

/**
 * Whether a body can ask for a mutation, told without reading it: a refusal must cost next to nothing, or a gateway that is
 * overloaded does little else. Documents named by their hash may hold anything.
 */
export function mayMutate(body: Buffer): boolean {
  return marks.some((mark) => body.includes(mark));
}

const marks = ['mutation', 'documentId', 'sha256Hash'];

/** One for all: the trace of its stack would cost as much as the rest of the refusal. */
const overloaded = new Refusal('OVERLOADED', 'This gateway has more to do than it can; try again in a second.');
