// Grounds as plain words, for whoever keeps more of them than there is room for as objects. Words are good in the process
// that made them: a guard is known by its place in a list of its own.
import type { Ground } from './standing.js';
import type { Guard } from './store.js';

export type PackedGrounds = readonly (string | number | null)[];

const WORDS = 7;
/** Each partition has another guard after each doubt about its store. */
const MAX_GUARDS = 10_000;

export class GroundPacker {
  #guards: Guard[] = [];
  #places = new Map<Guard, number>();
  /** Of those that are forgotten. */
  #forgotten = 0;

  pack(grounds: readonly Ground[]): PackedGrounds {
    const words: (string | number | null)[] = [];
    for (const { view, key, version, stamp, partition, guard, dueMs } of grounds) {
      words.push(view, key, version, stamp, partition, this.#placeOf(guard), Number.isFinite(dueMs) ? dueMs : null);
    }
    return words;
  }

  /** The same grounds; undefined where the guard of one is forgotten, so that it hardly stands. */
  unpack(words: PackedGrounds): readonly Ground[] | undefined {
    const grounds: Ground[] = [];
    for (let at = 0; at < words.length; at += WORDS) {
      const guard = this.#guards[Number(words[at + 5]) - this.#forgotten];
      if (!guard) return undefined;
      grounds.push({
        view: words[at] as string,
        key: words[at + 1] as string,
        version: words[at + 2] as string,
        stamp: words[at + 3] as string,
        partition: words[at + 4] as number,
        guard,
        dueMs: (words[at + 6] ?? Number.POSITIVE_INFINITY) as number,
      });
    }
    return grounds;
  }

  #placeOf(guard: Guard): number {
    const known = this.#places.get(guard);
    if (known !== undefined) return known;
    if (this.#guards.length >= MAX_GUARDS) {
      this.#forgotten += this.#guards.length;
      this.#guards = [];
      this.#places = new Map();
    }
    const place = this.#forgotten + this.#guards.length;
    this.#guards.push(guard);
    this.#places.set(guard, place);
    return place;
  }
}
