// Subscriptions: each event is executed for its caller as he is then, their number is bounded, and none ends without
// a word. Whoever leaves frees his place and the source behind it at once, whatever that waits for.

import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import type { Limits } from './limits.js';
import { Refusal } from './refusal.js';

type Step = IteratorResult<ExecutionResult, undefined>;

/** The open subscriptions of one server. */
export class Streams {
  readonly #limits: Limits;
  readonly #open = new Set<Stream>();
  /** Places by caller. */
  readonly #held = new Map<string, number>();
  #opening = 0;
  #closed = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Subscriptions that hold a place. */
  get count(): number {
    return this.#open.size + this.#opening;
  }

  /**
   * Subscribes for `caller`; `run` executes one event of the source. Resolves to the results, or to the errors of a source
   * that did not open.
   * @throws {Refusal} when no place is free, for anybody or for this caller, or the server is about to end.
   */
  async open(
    args: ExecutionArgs,
    run: (event: unknown) => Promise<ExecutionResult>,
    caller: string,
  ): Promise<Stream | ExecutionResult> {
    this.#requirePlace(caller);
    this.#opening += 1;
    this.#hold(caller, 1);
    let opened = false;
    try {
      const source = await createSourceEventStream(args);
      if (!isAsyncIterable(source)) return source;
      const stream = new Stream(source, run, () => {
        this.#open.delete(stream);
        this.#hold(caller, -1);
      });
      opened = true;
      this.#open.add(stream);
      if (this.#closed) stream.end(stopping());
      return stream;
    } finally {
      this.#opening -= 1;
      if (!opened) this.#hold(caller, -1);
    }
  }

  #requirePlace(caller: string): void {
    if (this.#closed) throw stopping();
    const { subscriptions, subscriptionsPerCaller } = this.#limits;
    if (this.count >= subscriptions) {
      const sentence = `This gateway has ${subscriptions} subscriptions open, which is as many as it takes; try again later.`;
      throw new Refusal('UNAVAILABLE', sentence);
    }
    if ((this.#held.get(caller) ?? 0) < subscriptionsPerCaller) return;
    const sentence = `You have ${subscriptionsPerCaller} subscriptions open, which is as many as one may; end one first.`;
    throw new Refusal('RATE_LIMITED', sentence);
  }

  #hold(caller: string, places: 1 | -1): void {
    const held = (this.#held.get(caller) ?? 0) + places;
    if (held > 0) this.#held.set(caller, held);
    else this.#held.delete(caller);
  }

  /** Ends every stream with a sentence, and opens no more. */
  close(): void {
    this.#closed = true;
    for (const stream of [...this.#open]) stream.end(stopping());
  }
}

/** Results of one subscription, one at a time. An error of its source is its last result. */
export class Stream implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #source: AsyncIterator<unknown>;
  readonly #run: (event: unknown) => Promise<ExecutionResult>;
  readonly #freed: () => void;
  #over = false;
  #lastWord: unknown;
  #interrupt = () => {};

  constructor(source: AsyncIterable<unknown>, run: (event: unknown) => Promise<ExecutionResult>, freed: () => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#run = run;
    this.#freed = freed;
  }

  next(): Promise<Step> {
    return new Promise((resolve) => {
      this.#interrupt = () => resolve(this.#last());
      this.#step().then(resolve);
    });
  }

  async return(): Promise<Step> {
    this.#finish(undefined);
    return done;
  }

  /** Ends the stream; `error` is the last that it tells. */
  end(error: Error): void {
    this.#finish(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #step(): Promise<Step> {
    if (this.#over) return this.#last();
    try {
      const { done: ended, value } = await this.#source.next();
      if (ended) this.#finish(undefined);
      else if (!this.#over) return { done: false, value: await this.#run(value) };
    } catch (error) {
      this.#finish(error);
    }
    return this.#last();
  }

  #finish(lastWord: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#lastWord = lastWord;
    this.#freed();
    this.#source.return?.().catch(() => {}); // may wait as long as it likes
    this.#interrupt();
  }

  #last(): Step {
    const error = this.#lastWord;
    this.#lastWord = undefined;
    return error === undefined ? done : { done: false, value: { errors: [asGraphQLError(error)] } };
  }
}

const done: Step = { done: true, value: undefined };

const stopping = () => new Refusal('UNAVAILABLE', 'This gateway is stopping; subscribe again.');

function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (!(error instanceof Error)) return new GraphQLError('A source of events failed.');
  const code = error instanceof Refusal ? { code: error.code } : {};
  return new GraphQLError(error.message, { originalError: error, extensions: code });
}
