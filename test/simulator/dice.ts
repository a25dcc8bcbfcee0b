// Chance that depends on nothing but a seed, so that a schedule can be repeated.

export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13);
  }

  /** 0 ≤ n < 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };

  chance(share: number): boolean {
    return share > 0 && this.next() < share;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number; both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Small numbers as likely as large ones, by order of magnitude. */
  magnitude(low: number, high: number): number {
    if (!(low > 0 && high >= low)) throw new Error(`No magnitudes between ${low} and ${high}.`);
    return low * (high / low) ** this.next();
  }

  /** @throws when there is nothing to pick from. */
  pick<Item>(items: readonly Item[]): Item {
    const [item] = items.slice(Math.floor(this.next() * items.length));
    if (item === undefined) throw new Error('Nothing to pick from.');
    return item;
  }
}
