// The versions that this process has told of lately. The store may hold an older value until the relay has dropped it;
// whoever was told of the change must not read that one here.
import type { Clock } from './clock.js';

/** Far longer than a relay takes; a store that is behind for so long is in doubt, and not asked. */
const KEPT_MS = 30_000;
/** Beyond this the older ones go early: the relay has most likely dropped them by then. */
const MAX_KEPT = 20_000;

export class Floors {
  readonly #clock: Clock;
  #recent = new Map<string, bigint>();
  #older = new Map<string, bigint>();
  #turnedAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turnedAtMs = clock.nowMs();
  }

  /** From now on the entry is read at this version or a newer one. */
  raise(view: string, key: string, version: bigint): void {
    this.#turn();
    const name = nameOf(view, key);
    const before = this.of(view, key) ?? 0n;
    this.#recent.set(name, version > before ? version : before);
  }

  /** The oldest version that may be read of the entry; undefined where any may. */
  of(view: string, key: string): bigint | undefined {
    if (this.#recent.size === 0 && this.#older.size === 0) return undefined;
    this.#turn();
    const name = nameOf(view, key);
    return this.#recent.get(name) ?? this.#older.get(name);
  }

  #turn(): void {
    const now = this.#clock.nowMs();
    if (now - this.#turnedAtMs < KEPT_MS && this.#recent.size < MAX_KEPT) return;
    // Nothing for twice the time: both are out of date.
    this.#older = now - this.#turnedAtMs < 2 * KEPT_MS ? this.#recent : new Map();
    this.#recent = new Map();
    this.#turnedAtMs = now;
  }
}

const nameOf = (view: string, key: string) => `${view}:${key}`;
