// What a server has said of keys, as far as it has not told since that they have changed. Of entries, those that are asked
// about again soon are known; all others are forgotten in turn.
import type { Guard } from './store.js';
import type { EntryRef } from './view.js';

/** An entry that was asked about before. */
export interface TrackedEntry {
  readonly name: string;
  /** Of the value that stands; undefined where none does, or that is not known. */
  stamp: string | undefined;
}

/** The meta of a partition. */
export interface TrackedMeta {
  readonly name: string;
  /** The one that it shows; undefined where that is not known. */
  guard: Guard | undefined;
}

/** So many entries at least, and twice as many at most, are known. */
const GENERATION = 8_192;

export class TrackedKeys {
  #recent = new Entries();
  #former = new Entries();
  readonly #metas = new Map<string, TrackedMeta>();

  /** Undefined where the entry was not asked about lately; from now on it was. */
  entry(ref: EntryRef, nameOf: (ref: EntryRef) => string): TrackedEntry | undefined {
    const known = this.#recent.of(ref);
    if (known) return known;
    const former = this.#former.take(ref);
    this.#add(ref, former ?? { name: nameOf(ref), stamp: undefined });
    return former;
  }

  meta(name: string): TrackedMeta {
    let meta = this.#metas.get(name);
    if (!meta) {
      meta = { name, guard: undefined };
      this.#metas.set(name, meta);
    }
    return meta;
  }

  /** The server tells that the key has changed. */
  changed(name: string): void {
    const entry = this.#recent.named(name) ?? this.#former.named(name);
    if (entry) entry.stamp = undefined;
    const meta = this.#metas.get(name);
    if (meta) meta.guard = undefined;
  }

  /** Nothing that was learned may be believed any more. */
  clear(): void {
    this.#recent.clear();
    this.#former.clear();
    for (const meta of this.#metas.values()) meta.guard = undefined;
  }

  #add(ref: EntryRef, entry: TrackedEntry): void {
    if (this.#recent.size >= GENERATION) {
      this.#former.clear(); // who holds one of them hears of no change any more
      this.#former = this.#recent;
      this.#recent = new Entries();
    }
    this.#recent.add(ref, entry);
  }
}

/** By view and key, as they are asked for, and by name, as the server tells of them. */
class Entries {
  readonly #byView = new Map<string, Map<string, TrackedEntry>>();
  readonly #byName = new Map<string, TrackedEntry>();

  get size(): number {
    return this.#byName.size;
  }

  of({ view, key }: EntryRef): TrackedEntry | undefined {
    return this.#byView.get(view)?.get(key);
  }

  named(name: string): TrackedEntry | undefined {
    return this.#byName.get(name);
  }

  add({ view, key }: EntryRef, entry: TrackedEntry): void {
    let ofView = this.#byView.get(view);
    if (!ofView) {
      ofView = new Map();
      this.#byView.set(view, ofView);
    }
    ofView.set(key, entry);
    this.#byName.set(entry.name, entry);
  }

  take(ref: EntryRef): TrackedEntry | undefined {
    const entry = this.of(ref);
    if (!entry) return undefined;
    this.#byView.get(ref.view)?.delete(ref.key);
    this.#byName.delete(entry.name);
    return entry;
  }

  clear(): void {
    for (const entry of this.#byName.values()) entry.stamp = undefined;
    this.#byView.clear();
    this.#byName.clear();
  }
}
