// Tells what was met before lately from what is met for the first time, in little memory: for what is kept only if it is
// asked for again. Now and then it takes the one for the other, which costs its owner a place and nothing else.
// Source: Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", ACM ToS 13(4), 2017, §3.4.2.

/** One bit is taken for each: where a generation is full, one name in 32 finds the bit of another. */
const BITS_PER_NAME = 32;

export class Doorkeeper {
  readonly #generation: number;
  #recent: Uint8Array;
  #older: Uint8Array;
  #met = 0;

  /** Of two generations of so many names each, a power of two; at least the last so many are known. */
  constructor(generation: number) {
    this.#generation = generation;
    this.#recent = new Uint8Array((generation * BITS_PER_NAME) / 8);
    this.#older = new Uint8Array(this.#recent.length);
  }

  /** Whether `digest`, whose characters are bytes drawn evenly, was met before; from now on it was. */
  meet(digest: string): boolean {
    const drawn = digest.charCodeAt(0) | (digest.charCodeAt(1) << 8) | (digest.charCodeAt(2) << 16);
    const bit = drawn & (this.#recent.length * 8 - 1);
    const place = bit >> 3;
    const mask = 1 << (bit & 7);
    const recent = this.#recent[place] ?? 0;
    if (recent & mask) return true;
    const older = this.#older[place] ?? 0;
    if (++this.#met > this.#generation) this.#turn();
    this.#recent[place] = (this.#recent[place] ?? 0) | mask;
    return (older & mask) !== 0;
  }

  #turn(): void {
    const oldest = this.#older;
    this.#older = this.#recent;
    this.#recent = oldest.fill(0);
    this.#met = 1;
  }
}
