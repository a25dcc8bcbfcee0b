// A gate at every look into the change log, of whatever gateway in this process.

/** Looks that may be held: then none is under way, and those that come wait. */
export class Looks {
  #opened: Promise<void> = Promise.resolve();
  #open = () => {};
  readonly #running = new Set<Promise<unknown>>();

  around<Args extends unknown[], Result>(look: (...args: Args) => Promise<Result>) {
    return async (...args: Args): Promise<Result> => {
      await this.#opened;
      const running = look(...args);
      this.#running.add(running);
      try {
        return await running;
      } finally {
        this.#running.delete(running);
      }
    };
  }

  /** Resolves once what was under way is over. */
  async hold(): Promise<void> {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    await Promise.allSettled([...this.#running]);
  }

  release(): void {
    this.#open();
  }
}

export const looks = new Looks();
