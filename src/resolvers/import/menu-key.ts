// Keys for items that have none: made of what does not depend on the language, so that the locales of a menu share them
// and an import that is repeated finds its items again.
import { Invalid } from '../errors.js';
import { requireKey } from '../menu-item.js';
import type { DraftItem } from './menu-draft.js';
import { isLabelKey } from './menu-labels.js';

const MAX_LENGTH = 180;

/**
 * The names of an item and of those above it, `about.releases`; without a name its address, `learn/setup`; without one the
 * key of its label, or its label, `getting-started`.
 */
export function derivedKey(
  { name, url, text }: DraftItem,
  parent: { readonly key: string; readonly named: boolean } | null,
): string {
  if (name !== undefined) return parent?.named ? `${parent.key}.${keyOf(name)}` : keyOf(name);
  const address = keyOf((url ?? '').replace(/^[a-z]+:(\/\/)?/i, ''), '._/-');
  if (address !== '') return address;
  return keyOf(isLabelKey(text) ? (text.split('.').at(-1) ?? text) : text.toLowerCase()) || 'item';
}

/** The keys of a menu while it is read. */
export class KeysTaken {
  /** Keys that items bring along: what is made up stays clear of them. */
  readonly #given = new Set<string>();
  readonly #taken = new Set<string>();

  constructor(drafts: readonly DraftItem[]) {
    const gather = ({ key, children }: DraftItem) => {
      if (key !== undefined) this.#given.add(key);
      for (const child of children) gather(child);
    };
    for (const draft of drafts) gather(draft);
  }

  /** The key that the item brings along, or `derived`, with a number where another item has it. @throws {Invalid} at one that is there twice. */
  take(given: string | undefined, derived: string): string {
    const key = given === undefined ? this.#free(derived) : requireKey(given, []);
    if (this.#taken.has(key))
      throw new Invalid(`Item ${JSON.stringify(key)} is there twice; keys are unique within a menu.`);
    this.#taken.add(key);
    return key;
  }

  #free(derived: string): string {
    let key = derived;
    for (let number = 2; this.#taken.has(key) || this.#given.has(key); number++) key = `${derived}-${number}`;
    return key;
  }
}

/** `text` with a dash for what no key may have, and for what is not among the `allowed` signs. */
function keyOf(text: string, allowed = '_-'): string {
  return [...text.normalize('NFC')]
    .map((sign) => (/[\p{L}\p{N}]/u.test(sign) || allowed.includes(sign) ? sign : '-'))
    .join('')
    .replace(/-{2,}/g, '-')
    .replace(/^[._/-]+|[._/-]+$/g, '')
    .slice(0, MAX_LENGTH);
}
