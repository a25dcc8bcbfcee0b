// Places where a test stops an operation and lets it go on, so that races meet where the test says.
import type { SQL } from 'drizzle-orm';
import type { Store } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';

export interface Gate {
  /** Resolves once an operation stands at the gate. */
  readonly reached: Promise<void>;
  /** Lets it, and all that come after it, go on. */
  readonly open: () => void;
}

/** Before: not yet sent. After: done, but the answer is not yet handed back. */
type Side = 'before' | 'after';

export class Gates<Name extends string> {
  readonly #closed = new Map<string, { arrive: () => void; opened: Promise<void>; open: () => void }>();

  /** Stops every `name` at this side until the gate is opened. */
  close(name: Name, side: Side = 'before'): Gate {
    let arrive = () => {};
    let open = () => {};
    const reached = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const place = `${side} ${name}`;
    this.#closed.set(place, { arrive, opened, open });
    return {
      reached,
      open: () => {
        this.#closed.delete(place);
        open();
      },
    };
  }

  openAll(): void {
    for (const { open } of this.#closed.values()) open();
    this.#closed.clear();
  }

  around<Args extends unknown[], Result>(name: Name, act: (...args: Args) => Promise<Result>) {
    return async (...args: Args): Promise<Result> => {
      await this.#pass('before', name);
      const result = await act(...args);
      await this.#pass('after', name);
      return result;
    };
  }

  async #pass(side: Side, name: Name): Promise<void> {
    const gate = this.#closed.get(`${side} ${name}`);
    gate?.arrive();
    await gate?.opened;
  }
}

export type StoreGates = Gates<
  'read' | 'standing' | 'fill' | 'fence' | 'publish' | 'drop' | 'meta' | 'begin' | 'advance'
>;

/** `store` with a gate around each operation. */
export function gatedStore(store: Store): { store: Store; gates: StoreGates } {
  const gates: StoreGates = new Gates();
  return {
    gates,
    store: {
      ...store,
      read: gates.around('read', store.read),
      standing: gates.around('standing', store.standing),
      fill: gates.around('fill', store.fill),
      fence: gates.around('fence', store.fence),
      publish: gates.around('publish', store.publish),
      drop: gates.around('drop', store.drop),
      meta: gates.around('meta', store.meta),
      begin: gates.around('begin', store.begin),
      advance: gates.around('advance', store.advance),
    },
  };
}

export interface GatedSource {
  readonly query: Query;
  readonly gates: Gates<'load'>;
  /** Statements sent so far. */
  readonly sent: () => number;
  /** Makes the next statement fail. */
  readonly failNext: (error: Error) => void;
}

/** `query` with a gate around each statement, and a count. */
export function gatedSource(query: Query): GatedSource {
  const gates = new Gates<'load'>();
  let sent = 0;
  let failure: Error | undefined;
  return {
    gates,
    sent: () => sent,
    failNext: (error) => {
      failure = error;
    },
    query: <Row extends object>(statement: SQL) =>
      gates.around('load', async () => {
        sent++;
        const error = failure;
        failure = undefined;
        if (error) throw error;
        return query<Row>(statement);
      })(),
  };
}
