// When each partition was last known to hold everything that the change log said by then.

export class Carried {
  readonly #atMs: number[];

  /** Counts from now on: nothing was known before. */
  constructor(partitions: number, nowMs: number) {
    this.#atMs = new Array<number>(partitions).fill(nowMs);
  }

  note(partitions: Iterable<number>, atMs: number): void {
    for (const partition of partitions) this.#atMs[partition] = Math.max(atMs, this.#atMs[partition] ?? atMs);
  }

  /** Of the partition that is furthest behind. */
  get sinceMs(): number {
    return Math.min(...this.#atMs);
  }
}
