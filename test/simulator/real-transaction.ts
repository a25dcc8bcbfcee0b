// A transaction on a real connection that goes on whenever the schedule says.
import { type Db, type Tx, txQuery } from '../../src/db/connection.js';
import { changedRoots, type LockedRoot, lockRoots, type Root } from '../../src/db/root.js';
import { loadView, writing } from './real-tables.js';
import type { Change, ChangedBack } from './servers.js';

export class RealTransaction {
  /** Whether a statement of it is at work. */
  busy = false;
  readonly #ended: Promise<void>;
  readonly #begun: Promise<{ readonly tx: Tx; readonly roots: readonly LockedRoot[] }>;
  #end: (how: 'commit' | 'rollback') => void = () => {};

  /** BEGIN, and locks of the roots. */
  constructor(db: Db, roots: readonly Root[]) {
    const told = new Promise<'commit' | 'rollback'>((resolve) => {
      this.#end = resolve;
    });
    let ended: Promise<void> = Promise.resolve();
    this.#begun = new Promise((resolve, reject) => {
      ended = db.transaction(async (tx) => {
        resolve({ tx, roots: await lockRoots(tx, roots) });
        if ((await told) === 'rollback') throw new RolledBack();
      });
      ended.catch(reject);
    });
    this.#begun.catch(() => {});
    this.#ended = ended;
  }

  async locked(): Promise<void> {
    await this.#alone(async () => {});
  }

  /** Changes the roots, and reads back what that changed. */
  change(changes: readonly Change[]): Promise<{ xid: string; changed: readonly ChangedBack[] }> {
    return this.#alone(async (tx, roots) => {
      const query = txQuery(tx);
      // Sent together, run one after the other.
      await Promise.all(changes.map(({ view, key, number }) => query(writing(view, key, number))));
      const { xid, changed } = await changedRoots(tx);
      const back = changed.map(async ({ view, key, version }): Promise<ChangedBack[]> => {
        const isIts = (each: Root) => each.view === view && each.key === key;
        const [loaded] = await loadView(query, view, [key]);
        const number = changes.find(isIts)?.number ?? null;
        const from = String(roots.find(isIts)?.version ?? 0n);
        return loaded ? [{ view, key, version, from, number, loaded }] : [];
      });
      return { xid, changed: (await Promise.all(back)).flat() };
    });
  }

  /** Runs `act` in it. */
  within<Result>(act: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.#alone(act);
  }

  async commit(): Promise<void> {
    this.#end('commit');
    await this.#ended;
  }

  /** Resolves once it has ended, after the statement at work. */
  async rollback(): Promise<void> {
    this.#end('rollback');
    await this.#ended.catch(() => {});
  }

  async #alone<Result>(act: (tx: Tx, roots: readonly LockedRoot[]) => Promise<Result>): Promise<Result> {
    this.busy = true;
    try {
      const { tx, roots } = await this.#begun;
      return await act(tx, roots);
    } finally {
      this.busy = false;
    }
  }
}

class RolledBack extends Error {
  override readonly name = 'RolledBack';
}
