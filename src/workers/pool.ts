// The workers of a machine, as their first process sees them: started one before the others, started anew when they die,
// asked, and ended together. Each is a process of its own that runs this program; they share the ports that they listen on.

import cluster from 'node:cluster';
import { WorkerFailed } from './errors.js';
import type { Answering, Answers } from './link.js';
import { DEFAULT_PATIENCE, type Patience } from './patience.js';
import { type Death, Place } from './place.js';

export interface PoolOptions<Report, Given extends Answers> {
  /** How many there are to be. */
  readonly workers: number;
  /** The arguments that a worker's program is called with. */
  readonly args: readonly string[];
  /** What the worker at this place is told to do, from 1 on; asked at each start. */
  readonly taskOf: (place: number) => object;
  /** A worker does its work. */
  readonly onServing: (place: number, report: Report) => void;
  /** What workers may ask. */
  readonly answering: Answering<Given>;
  /** A worker has died, and another takes its place after `pauseMs`. */
  readonly onDeath: (place: number, how: string, pauseMs: number) => void;
  /** A worker dies again and again: nothing is started any more. */
  readonly onFault: (fault: WorkerFailed) => void;
  readonly patience?: Patience;
}

/** What the one at a place answered; undefined where nothing came. */
export interface Reply<Value> {
  readonly place: number;
  readonly value: Value | undefined;
}

export class Pool<Report, Given extends Answers, Asked extends Answers> {
  readonly #options: PoolOptions<Report, Given>;
  readonly #places: readonly Place<Report, Given, Asked>[];
  #deaths = 0;
  #opened = false;
  #stopped: Promise<void> | undefined;

  constructor(options: PoolOptions<Report, Given>) {
    this.#options = options;
    const { patience = DEFAULT_PATIENCE, taskOf, onServing, answering } = options;
    cluster.setupPrimary({ args: [...options.args] });
    this.#places = Array.from({ length: options.workers }, (_, at) => {
      const number = at + 1;
      return new Place({
        patience,
        answering,
        task: () => taskOf(number),
        onServing: (report) => onServing(number, report),
        onDeath: (death) => this.#died(number, death),
      });
    });
  }

  /** Starts the first worker, and once that serves, the others. @throws {WorkerFailed} when one does not get so far. */
  async open(): Promise<void> {
    const [first, ...others] = this.#places;
    await first?.start();
    await Promise.all(others.map((place) => place.start()));
    this.#opened = true;
  }

  /** How many there are to be, how many do their work, and how often one has died. */
  get state(): { readonly wanted: number; readonly serving: number; readonly deaths: number } {
    return { wanted: this.#places.length, serving: this.#serving.length, deaths: this.#deaths };
  }

  /** Asks all that serve; who dies meanwhile is not among the replies. */
  async ask<Name extends keyof Asked & string>(name: Name, timeoutMs: number): Promise<readonly Reply<Asked[Name]>[]> {
    const replies = await Promise.all(
      this.#serving.map(async ({ number, place }) => {
        const value = await place.ask(name, timeoutMs);
        return value !== undefined || place.serves ? [{ place: number, value }] : [];
      }),
    );
    return replies.flat();
  }

  /** Ends all in good order, by force after `graceMs`. Resolves once none is left. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= Promise.all(this.#places.map((place) => place.stop(graceMs))).then(() => {});
    return this.#stopped;
  }

  get #serving() {
    return this.#places.flatMap((place, at) => (place.serves ? [{ number: at + 1, place }] : []));
  }

  #died(number: number, { how, next, early, served }: Death): void {
    if (this.#stopped) return;
    this.#deaths++;
    const place = this.#places[number - 1];
    if (!this.#opened && !served) return; // `open` tells
    if (next === 'give up') {
      const sentence = `Worker ${number} ended ${early} times shortly after its start, the last time by ${how}; what it said is above.`;
      this.#options.onFault(new WorkerFailed(sentence));
      return;
    }
    this.#options.onDeath(number, how, next.pauseMs);
    place?.startAfter(next.pauseMs);
  }
}
