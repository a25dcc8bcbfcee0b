// JSON text of what was completed before. Where a resolver gives the very object again that it gave before, and what is
// selected of it follows from it alone, the text is the same as well and goes into the answer as it is. Bounded by size;
// of what is met once nothing is kept.
import { LRUCache } from 'lru-cache';

/** Stands in a result for what its text says. */
export class KeptText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For whoever puts the result in another form. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

const MAX_CHARACTERS = 16 * 1_024 * 1_024;
const MAX_TEXT_CHARACTERS = 1_024 * 1_024;

export class KeptTexts {
  readonly #ids = new WeakMap<object, number>();
  readonly #texts = new LRUCache<string, KeptText>({
    maxSize: MAX_CHARACTERS,
    maxEntrySize: MAX_TEXT_CHARACTERS,
    sizeCalculation: ({ text }) => text.length + 200,
  });
  #last = 0;

  /** What the text of `value` in the place `place` is kept by; undefined where the value is new. */
  nameOf(place: number, value: object): string | undefined {
    const id = this.#ids.get(value);
    if (id !== undefined) return `${place}:${id}`;
    this.#ids.set(value, ++this.#last);
    return undefined;
  }

  get(name: string): KeptText | undefined {
    return this.#texts.get(name);
  }

  keep(name: string, completed: unknown): KeptText {
    const text = new KeptText(JSON.stringify(completed));
    this.#texts.set(name, text);
    return text;
  }
}

/** What `JSON.stringify` gives, with texts that were kept as they are. */
export function jsonOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof KeptText) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => jsonOf(item) ?? 'null').join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== null && prototype !== Object.prototype) || 'toJSON' in value) return JSON.stringify(value);
  let text = '';
  for (const [key, member] of Object.entries(value)) {
    const json = jsonOf(member);
    if (json !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${json}`;
  }
  return `{${text}}`;
}
