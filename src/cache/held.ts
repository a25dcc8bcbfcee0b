// Values that this process has read out of the store and keeps, so that they need not be moved and decoded again. Each is
// answered only after the store, asked anew, has said that this very value stands under the guard that it was read under:
// what is saved is the way, never the question.
import { LRUCache } from 'lru-cache';
import type { Ground } from './standing.js';
import type { Guard, Hit } from './store.js';

/** What was made of one value; made once. */
export class Made {
  #made: { readonly thing: unknown } | undefined;

  /** Always to be asked for the same thing. */
  once<Thing>(make: () => Thing): Thing {
    this.#made ??= { thing: make() };
    return this.#made.thing as Thing;
  }
}

/** A value that was read, and from where. */
export interface ReadValue {
  readonly key: string;
  readonly partition: number;
  readonly guard: Guard;
  readonly hit: Hit;
}

export interface HeldValue extends ReadValue {
  readonly made: Made;
  /** Where it is the same for each reader. */
  ground?: Ground;
}

/** Of all values together, with what is made of them. */
const MAX_BYTES = 24 * 1_024 * 1_024;
/** Larger values would drive all others out. */
const MAX_VALUE_BYTES = 1_024 * 1_024;
/** Readings of longer names, such as a membership of many at once, are too rarely the same to be held. */
const MAX_NAME_LENGTH = 1_000;
/**
 * Of names that were read once; each takes the place of another that was read before. About as many as there is room for
 * values: whatever is read again only after more others would be driven out before it is of use.
 */
const MET_PLACES = 1 << 12;

/** What is `held`, if it was read under this very guard. */
export const readUnder = (guard: Guard, held: HeldValue | undefined): HeldValue | undefined =>
  held?.guard === guard ? held : undefined;

export class Held {
  readonly #values = new LRUCache<string, HeldValue>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_VALUE_BYTES,
    sizeCalculation: ({ hit }, name) => bytesOf(name, hit),
  });
  readonly #met = new Uint32Array(MET_PLACES);

  /** What is held under `name`, under whichever guard it was read. */
  of(name: string, key: string): HeldValue | undefined {
    const held = this.#values.get(name);
    return held?.key === key ? held : undefined;
  }

  /** Takes in what was read, if that is not the first time lately; undefined where it is not held. */
  take(name: string, value: ReadValue): HeldValue | undefined {
    if (name.length > MAX_NAME_LENGTH || !(this.#values.has(name) || this.#meets(name))) return undefined;
    const held = { ...value, made: new Made() };
    this.#values.set(name, held);
    return held;
  }

  /** Whether the name was met before; from now on it was. Of new names one in a million is taken for the one in its place. */
  #meets(name: string): boolean {
    const hash = fnv1a(name);
    const place = hash % MET_PLACES;
    if (this.#met[place] === hash) return true;
    this.#met[place] = hash;
    return false;
  }
}

/** Source: G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm" (RFC 9923), over UTF-16. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Of the texts, and several times as much for what is made of them: a menu of 5 items takes 5 KB, one of 60 takes 18. */
function bytesOf(name: string, { value, members }: Hit): number {
  let characters = name.length + (value?.length ?? 0);
  for (const member of members) characters += 40 + (member?.length ?? 0);
  return 3_000 + 5 * characters;
}
