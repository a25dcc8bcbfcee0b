// What one listener of the change feed has yet to take: of each key only the newest change, so that a slow listener is
// told of less instead of holding more. Nothing is left out in silence: a stream that cannot go on says so.
import { FeedInterrupted } from './errors.js';

/** An entry became another version; what it says now is the reader's to find out. */
export interface Change {
  readonly view: string;
  readonly key: string;
  readonly version: bigint;
}

/** What a stream is told of. */
export interface Interest {
  readonly view: string;
  readonly concerns: (key: string) => boolean;
}

/** More keys than this, and reading them all anew is cheaper than being told of each. */
const MAX_PENDING = 10_000;

/** Changes as they are taken; one taker at a time. */
export class ChangeStream implements AsyncIterableIterator<Change> {
  readonly #interest: Interest;
  readonly #left: () => void;
  readonly #pending = new Map<string, Change>();
  #wake = () => {};
  #ended = false;
  #failure: FeedInterrupted | undefined;

  /** `left` is called once, when the stream ends. */
  constructor(interest: Interest, left: () => void) {
    this.#interest = interest;
    this.#left = left;
  }

  /** Keeps the change for the taker if it is of interest. A key keeps its place, so that a busy one holds up no other. */
  push(change: Change): void {
    if (this.#ended || change.view !== this.#interest.view || !this.#interest.concerns(change.key)) return;
    this.#pending.set(change.key, change);
    if (this.#pending.size > MAX_PENDING) this.interrupt();
    this.#wake();
  }

  /** Ends the stream with {@link FeedInterrupted}: what it had still to tell is lost. */
  interrupt(): void {
    if (this.#ended) return;
    this.#failure = new FeedInterrupted();
    this.#end();
  }

  /** The next change, as soon as there is one. @throws {FeedInterrupted} once, when changes were lost. */
  async next(): Promise<IteratorResult<Change, undefined>> {
    for (;;) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure) throw failure;
      if (this.#ended) return { done: true, value: undefined };
      for (const change of this.#pending.values()) {
        this.#pending.delete(change.key);
        return { done: false, value: change };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the stream, also for a taker who waits. */
  async return(): Promise<IteratorResult<Change, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending.clear();
    this.#left();
    this.#wake();
  }
}
