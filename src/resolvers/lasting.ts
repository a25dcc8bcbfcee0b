// Things made of a value, once, and gone with it: the cache may give a value again as the very same object for as long as it
// stands.

/** So many things are kept of one value. */
const MAX_THINGS = 8;

export class Lasting<Source extends object, Thing> {
  readonly #things = new WeakMap<Source, Map<string, Thing>>();

  /** What `make` makes of `source`, which must depend on nothing but `source` and `name`. */
  of(source: Source, name: string, make: () => Thing): Thing {
    let things = this.#things.get(source);
    if (!things) {
      things = new Map();
      this.#things.set(source, things);
    }
    const known = things.get(name);
    if (known !== undefined) return known;
    const thing = make();
    if (things.size >= MAX_THINGS) things.clear();
    things.set(name, thing);
    return thing;
  }
}
