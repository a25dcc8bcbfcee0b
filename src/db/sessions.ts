// A few sessions on one Postgres. One that was lost is never used again: the next statement opens another.
import type postgres from 'postgres';
import { DatabaseUnavailable } from './errors.js';
import { PREPARED, Session, type SessionOptions } from './session.js';

export interface SessionsOptions extends Omit<SessionOptions, 'attempt' | 'onLoss'> {
  readonly max: number;
  /** What a session may hold that must not lapse, such as a lock, keeps it for good; others end after a while. */
  readonly keeps?: boolean;
}

/** After an attempt to connect has failed, statements fail with it for so long: not every one of them knocks anew. */
const REST_MS = 100;
/** A backend grows with what it has ever prepared and looked at. */
const LIFE_MS = 1_800_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #all = new Set<Session>();
  /** At work for one caller alone. */
  readonly #taken = new Set<Session>();
  #turns = 0;
  /** Those who wait for a turn, each of which is handed on. */
  readonly #queue: (() => void)[] = [];
  /** Grows with each that failed: of several hosts, the one that answered is gone on with. */
  #attempt = 0;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #ended = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** One statement, on a session that others may use at the same time. */
  async run(text: string, parameters: postgres.ParameterOrJSON<never>[]): Promise<postgres.RowList<postgres.Row[]>> {
    const usable = this.#usable();
    const shared = usable.filter((session) => !this.#taken.has(session));
    const least = shared.reduce<Session | undefined>(
      (one, other) => (one && one.load <= other.load ? one : other),
      undefined,
    );
    const isFull = usable.length >= this.#options.max || this.#resting !== undefined;
    const session = least && (least.load === 0 || isFull) ? least : this.#open();
    return session.statement(text, parameters, PREPARED);
  }

  /** Gives `act` a session of its own, waiting for one while all are taken. */
  async exclusively<Result>(act: (session: Session) => PromiseLike<Result>): Promise<Result> {
    if (this.#turns < this.#options.max) this.#turns++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let session: Session | undefined;
    try {
      session = this.#usable().find((one) => !this.#taken.has(one)) ?? this.#open();
      this.#taken.add(session);
      return await act(session);
    } finally {
      if (session) this.#taken.delete(session);
      const next = this.#queue.shift();
      if (next) next();
      else this.#turns--;
    }
  }

  /** Waits for what is at work for so many seconds, then drops it; nothing is asked for any more. */
  async end(seconds: number): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#all].map((session) => session.end(seconds)));
  }

  #usable(): Session[] {
    for (const session of this.#all) {
      const old = !this.#options.keeps && performance.now() - session.bornMs > LIFE_MS;
      if (!old || session.load > 0 || this.#taken.has(session)) continue;
      this.#all.delete(session);
      void session.end(1);
    }
    return [...this.#all];
  }

  /** Why no session is opened for the moment. */
  get #resting(): { readonly error: unknown } | undefined {
    const failure = this.#failure;
    return failure && performance.now() - failure.atMs < REST_MS ? failure : undefined;
  }

  #open(): Session {
    if (this.#ended) throw new DatabaseUnavailable('The connection to Postgres was closed.');
    const resting = this.#resting;
    if (resting) throw resting.error;
    const attempt = this.#attempt;
    const session: Session = new Session({
      ...this.#options,
      attempt,
      onLoss: (error) => {
        this.#all.delete(session);
        this.#failure = session.answered ? undefined : { error, atMs: performance.now() };
        if (!session.answered) this.#attempt = Math.max(this.#attempt, attempt + 1);
      },
    });
    this.#all.add(session);
    return session;
  }
}
