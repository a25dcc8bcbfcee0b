// The checker of the pledge. Each key holds a number that every write makes greater by one, so that a value tells which
// write it comes from: a read must not return a number below the greatest one acknowledged before the read began.

export interface Violation {
  readonly key: string;
  readonly read: number;
  readonly acknowledged: number;
}

export class Freshness {
  readonly violations: Violation[] = [];
  reads = 0;
  acknowledgements = 0;
  readonly #floors = new Map<string, number>();

  /** From now on every read of `key` must return `value` or a newer one. */
  acknowledge(key: string, value: number): void {
    this.acknowledgements++;
    this.#floors.set(key, Math.max(value, this.#floors.get(key) ?? 0));
  }

  /** Call it when a read begins, and the result with what it returned. */
  beginRead(key: string): (value: number) => void {
    const acknowledged = this.#floors.get(key) ?? 0;
    return (value) => {
      this.reads++;
      if (value < acknowledged) this.violations.push({ key, read: value, acknowledged });
    };
  }
}

/** Numbers from 0 to 1 that depend on nothing but the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
