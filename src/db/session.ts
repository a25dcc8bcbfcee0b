// One connection to Postgres with one life: it opens one socket, and once that is lost nothing that the driver says of it
// counts any more. postgres.js would go on with its next connection where it was with the last: a statement that was asked
// for while a socket was on its way down is never sent, and answered with nothing, or with the answer of the one after it.
import { connect as openSocket, type Socket } from 'node:net';
import postgres from 'postgres';
import { DatabaseUnavailable } from './errors.js';

export interface SessionOptions {
  readonly url: string;
  /** For the driver; the session's settings are among them. */
  readonly driver: postgres.Options<Record<string, postgres.PostgresType>>;
  /** Which of several hosts to try. */
  readonly attempt: number;
  /** A session that owes an answer and says nothing for this long is given up. */
  readonly silenceMs: number;
  readonly onLoss: (error: Error) => void;
}

type Parameters = postgres.ParameterOrJSON<never>[];
type Rows = postgres.RowList<postgres.Row[]>;

/** Rows as objects, or as arrays of values for who says so at once. */
export type Statement = Promise<Rows> & { readonly values: () => Promise<Rows> };

/** A transaction as its body sees it, by the driver's own name. */
export interface Transaction {
  readonly unsafe: (text: string, parameters?: Parameters) => Statement;
}

type Body<Result> = (tx: Transaction) => Promise<Result>;

/** A statement that `ask` sends when its caller has had time to say which form it wants. */
export function statementOf(ask: (asValues: boolean) => Promise<Rows>): Statement {
  let asValues = false;
  const rows = Promise.resolve().then(() => ask(asValues));
  const values = () => {
    asValues = true;
    return rows;
  };
  return Object.assign(rows, { values });
}

export class Session {
  readonly bornMs = performance.now();
  readonly #options: SessionOptions;
  readonly #client: postgres.Sql;
  /** Who waits for what this session is to answer. */
  readonly #waiting = new Set<(error: Error) => void>();
  #socket: Socket | undefined;
  #load = 0;
  #loss: Error | undefined;
  /** Statements that are at work or on their way. */
  #unanswered = 0;
  #heardMs = 0;
  #answered = false;
  #listening: NodeJS.Timeout | undefined;

  /** Opens nothing until the first statement. */
  constructor(options: SessionOptions) {
    this.#options = options;
    const socket = (parsed: ParsedAddress) => this.#open(parsed);
    const driver = { ...options.driver, max: 1, max_lifetime: null, socket, onclose: () => this.lose(closed()) };
    this.#client = postgres(options.url, driver);
  }

  get lost(): boolean {
    return this.#loss !== undefined;
  }

  /** Whether Postgres has done what it was asked for even once. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Statements that were asked for and have no answer. */
  get load(): number {
    return this.#load;
  }

  /** How values are sent and read. */
  get forms(): Pick<postgres.ParsedOptions<Record<string, unknown>>, 'parsers' | 'serializers'> {
    return this.#client.options;
  }

  /** One statement; rejects with what Postgres or the driver said, or when the session was lost before the answer. */
  statement(text: string, parameters: Parameters = [], options: postgres.UnsafeQueryOptions = {}): Statement {
    return this.#statement(() => this.#client.unsafe(text, parameters, options));
  }

  /**
   * One transaction. It ends with the session: nothing that its body does afterwards reaches Postgres, and its outcome is
   * unknown only where the loss comes after the body. Nobody else may use the session meanwhile.
   */
  async transaction<Result>(body: Body<Result>): Promise<Result> {
    if (this.#loss) throw this.#loss;
    let over = false;
    const unsafe = (text: string, parameters?: Parameters) => {
      if (over) throw new Error('The transaction has ended.');
      return this.#within(text, parameters);
    };
    // What the body sends first follows at once. Should BEGIN fail, it runs by itself: sessions that write are read-only then.
    const begin = this.statement('BEGIN READ WRITE');
    const [begun, done] = await Promise.allSettled([begin, this.#believed(body({ unsafe }))]);
    over = true;
    const failed = [begun, done].find((each) => each.status === 'rejected');
    if (failed || done.status === 'rejected') {
      await this.statement('ROLLBACK').catch(() => {});
      throw failed?.reason;
    }
    const { command } = await this.statement('COMMIT');
    if (command !== 'COMMIT') throw new Error('A statement of the transaction had failed, so it was rolled back.');
    return done.value;
  }

  /** Waits for what is at work for so many seconds, then drops it. */
  async end(seconds: number): Promise<void> {
    await this.#client.end({ timeout: seconds }).catch(() => {});
    this.lose(closed());
  }

  /** Whoever still waits hears `error`; the socket goes, whether the other side hears of it or not. */
  lose(error: Error): void {
    if (this.#loss) return;
    this.#loss = error;
    clearTimeout(this.#listening);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#socket?.destroy();
    this.#client.end({ timeout: 0 }).catch(() => {});
    this.#options.onLoss(error);
  }

  /** The driver asks again when it wants to connect anew. */
  #open({ host, port, path }: ParsedAddress): Socket {
    if (this.#socket || this.#loss) {
      this.lose(closed());
      throw closed();
    }
    const at = this.#options.attempt % host.length;
    const name = host[at] ?? 'localhost';
    const socket = path ? openSocket(path) : openSocket({ host: name, port: port[at] ?? 5432, noDelay: true });
    this.#socket = socket;
    // Before the driver's own, which let statements fail and their callers go on.
    const watch = () => socket.on('error', (error) => this.lose(error)).on('close', () => this.lose(closed()));
    watch();
    // The driver sends all listeners away before it begins to speak TLS over the socket.
    const forget = socket.removeAllListeners.bind(socket);
    socket.removeAllListeners = (event) => {
      forget(event);
      return watch();
    };
    return Object.assign(socket, { host: name }); // where TLS looks for the name
  }

  /**
   * Prepared: else the driver asks for the types of the parameters first, a round-trip more for each statement. Not where
   * there are many: such texts differ from one call to the next, and the session would keep them all.
   */
  #within(text: string, parameters: Parameters = []): Statement {
    return this.statement(text, parameters, parameters.length <= MAX_PREPARED ? PREPARED : {});
  }

  #statement(send: () => postgres.PendingQuery<postgres.Row[]>): Statement {
    this.#load++;
    return statementOf(async (asValues) => {
      const answered = this.#owed();
      try {
        if (this.#loss) throw this.#loss;
        const query = send();
        return await this.#believed<Rows>(asValues ? query.values() : query);
      } finally {
        this.#load--;
        answered();
      }
    });
  }

  /** The answer, unless the session is lost before it comes. */
  #believed<Answer>(pending: PromiseLike<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      pending.then(
        (answer) => {
          if (!this.#waiting.delete(reject)) return;
          this.#answered = true;
          resolve(answer);
        },
        (error) => {
          if (!this.#waiting.delete(reject)) return;
          reject(error);
          // Refused before it began; that its socket goes too is heard of later.
          if (error instanceof postgres.PostgresError && error.severity === 'FATAL') this.lose(error);
        },
      );
    });
  }

  /** Postgres owes an answer, until what this returns is called. */
  #owed(): () => void {
    if (this.#unanswered++ === 0) this.#heardMs = performance.now();
    this.#listening ??= this.#listen(this.#options.silenceMs);
    let owed = true;
    return () => {
      if (!owed) return;
      owed = false;
      this.#unanswered--;
      this.#heardMs = performance.now();
    };
  }

  #listen(ms: number): NodeJS.Timeout {
    const hear = () => {
      this.#listening = undefined;
      if (this.#unanswered === 0 || this.lost) return;
      const leftMs = this.#heardMs + this.#options.silenceMs - performance.now();
      if (leftMs <= 0) this.lose(new DatabaseUnavailable('Postgres did not answer in time; try again.'));
      else this.#listening = this.#listen(leftMs);
    };
    // A process that stood still finds the answers of that time only after its timers.
    return setTimeout(() => setImmediate(hear), ms).unref();
  }
}

const MAX_PREPARED = 24;
/** The driver prepares nothing that has no parameters, unless told that it is not simple. */
export const PREPARED = { prepare: true, simple: false };

interface ParsedAddress {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false | undefined;
}

class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly code = 'CONNECTION_CLOSED';
}

const closed = () => new ConnectionLost('The connection to Postgres was lost.');
