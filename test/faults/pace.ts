// The rate of a run: turns that whoever is free takes, so that clients which wait for a frozen gateway leave theirs to others.
import { setTimeout as pause } from 'node:timers/promises';

/** What nobody could take is made up for as far as this; more would be another load than the one asked for. */
const MADE_UP_MS = 3_000;

export class Pace {
  readonly #everyMs: number;
  #dueMs = performance.now();

  constructor(perSecond: number) {
    this.#everyMs = 1_000 / perSecond;
  }

  /** Resolves when as many turns as asked for are due. */
  async turn(count = 1): Promise<void> {
    const now = performance.now();
    const dueMs = Math.max(this.#dueMs, now - MADE_UP_MS);
    this.#dueMs = dueMs + count * this.#everyMs;
    if (dueMs > now) await pause(dueMs - now);
  }
}
