// Row locks of Postgres: one holder each; which of those who wait is next, Postgres does not promise.

export class Locks {
  readonly #holders = new Map<string, object>();
  readonly #waiting = new Map<string, { readonly owner: object; readonly granted: () => void }[]>();
  readonly #pick: (count: number) => number;

  /** `pick` says which of so many is next. */
  constructor(pick: (count: number) => number) {
    this.#pick = pick;
  }

  /** Calls `granted` once `owner` holds the lock, at once where it does already. */
  acquire(owner: object, name: string, granted: () => void): void {
    const holder = this.#holders.get(name);
    if (holder === undefined || holder === owner) {
      this.#holders.set(name, owner);
      granted();
      return;
    }
    const waiting = this.#waiting.get(name);
    if (waiting) waiting.push({ owner, granted });
    else this.#waiting.set(name, [{ owner, granted }]);
  }

  /** Takes `names` in order. */
  acquireAll(owner: object, names: readonly string[], granted: () => void): void {
    const [first, ...rest] = names;
    if (first === undefined) granted();
    else this.acquire(owner, first, () => this.acquireAll(owner, rest, granted));
  }

  /** Gives up what `owner` holds and waits for. */
  release(owner: object): void {
    for (const [name, waiting] of this.#waiting) {
      if (waiting.some((each) => each.owner === owner)) {
        this.#waiting.set(
          name,
          waiting.filter((each) => each.owner !== owner),
        );
      }
    }
    for (const [name, holder] of [...this.#holders]) {
      if (holder !== owner) continue;
      this.#holders.delete(name);
      const waiting = this.#waiting.get(name) ?? [];
      const [next] = waiting.splice(this.#pick(waiting.length), 1);
      if (!next) continue;
      this.#holders.set(name, next.owner);
      next.granted();
    }
  }
}
