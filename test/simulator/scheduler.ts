// One order of events for a whole schedule, in time of its own. Whatever waits, waits here: a message on its way, a
// sleeper, the next turn of a process's event loop. Events run one at a time, each until nothing more follows from it
// without waiting, so that the same seed gives the same schedule.

/** Somebody who acts: a gateway's process, a client, a server. */
export interface Party {
  readonly name: string;
  /** What a dead party waits for never comes. */
  alive: boolean;
  /** A stopped process goes on at this time. */
  stoppedUntilMs: number;
}

export const party = (name: string): Party => ({ name, alive: true, stoppedUntilMs: 0 });

interface Event {
  atMs: number;
  readonly order: number;
  readonly party: Party;
  readonly label: string;
  readonly act: () => void | Promise<void>;
}

export class Scheduler {
  nowMs = 0;
  steps = 0;
  readonly #heap: Event[] = [];
  #order = 0;
  #failure: unknown;
  readonly #trace: string[] | undefined;

  /** Lines of the interleaving are added to `trace`, if there is one. */
  constructor(trace?: string[]) {
    this.#trace = trace;
  }

  get tracing(): boolean {
    return this.#trace !== undefined;
  }

  /** Runs `act` as an event of `party` in `delayMs`. */
  after(delayMs: number, party: Party, label: string, act: () => void | Promise<void>): void {
    this.#push({ atMs: this.nowMs + delayMs, order: this.#order++, party, label, act });
  }

  sleep(ms: number, party: Party, label: string): Promise<void> {
    return new Promise((resolve) => this.after(ms, party, label, resolve));
  }

  /** Adds a line to the trace, under the number of the running step. */
  note(name: string, text: string): void {
    this.#trace?.push(
      `${String(this.steps).padStart(5)} ${this.nowMs.toFixed(2).padStart(9)} ms  ${name.padEnd(8)} ${text}`,
    );
  }

  /** Ends the run with `error`. */
  readonly fail = (error: unknown): void => {
    this.#failure ??= error ?? new Error('Failed.');
  };

  /** Runs events in order until `over` says so, or nothing is left. Rejects with what an event threw. */
  run(over: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (this.#failure) return reject(this.#failure);
          const event = over() ? undefined : this.#next();
          if (!event) return resolve();
          const ended = event.act();
          if (ended === undefined) process.nextTick(settled);
          else ended.then(() => process.nextTick(settled), reject);
        } catch (error) {
          reject(error);
        }
      };
      // Ticks come when no promise is left to be told; each step is told as one, or the ticks would go on among themselves.
      const settled = () => queueMicrotask(step);
      process.nextTick(settled);
    });
  }

  #next(): Event | undefined {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (!event.party.alive) continue;
      if (event.party.stoppedUntilMs > event.atMs) {
        event.atMs = event.party.stoppedUntilMs;
        this.#push(event);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, event.atMs);
      this.steps++;
      if (this.#trace && event.label !== '') this.note(event.party.name, event.label);
      return event;
    }
    return undefined;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, event)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      const other = heap[below + 1];
      if (child && other && isBefore(other, child)) {
        child = other;
        below++;
      }
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (one: Event, other: Event): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
