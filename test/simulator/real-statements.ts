// Real statements in a schedule whose events run one at a time: an event lasts until its statement has ended, or waits for
// a lock; one that ends a transaction lasts until whoever it let go on has got as far.
import type postgres from 'postgres';

/** Statements mostly end sooner. */
const LOOK_MS = 4;

export class Statements {
  readonly #running = new Set<Promise<void>>();
  readonly #monitor: postgres.Sql;

  /** `monitor` looks who waits. */
  constructor(monitor: postgres.Sql) {
    this.#monitor = monitor;
  }

  /** Runs a statement; its reply may come later, once a lock is free that one of the `others` holds. */
  async run<Result>(
    act: () => Promise<Result>,
    reply: (result: Result) => void,
    refuse: (error: unknown) => void,
    others: boolean,
  ): Promise<void> {
    const ended = this.follow(act().then(reply, refuse));
    if (this.#running.size === 1 && !others) return ended;
    let over = false;
    void ended.then(() => {
      over = true;
    });
    do await within(ended);
    while (!over && !(await this.#blocked()));
  }

  /** Counts something as at work until it has ended. */
  follow(work: Promise<void>): Promise<void> {
    const ended: Promise<void> = work.finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return ended;
  }

  /** Resolves once nothing is at work. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Resolves once nothing is at work but what waits for locks. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) {
      await within(Promise.all(this.#running));
      if (this.#running.size === 0) return;
      if (await this.#blocked()) return;
    }
  }

  /** Whether all that is at work waits for a lock. */
  async #blocked(): Promise<boolean> {
    const [look] = await this.#monitor<{ waiting: number }[]>`SELECT count(*)::int AS waiting FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock'`;
    return look !== undefined && look.waiting >= this.#running.size;
  }
}

/** Resolves when `work` has ended, or after a while. */
async function within(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LOOK_MS);
  });
  await Promise.race([work, pause]);
  clearTimeout(timer);
}
