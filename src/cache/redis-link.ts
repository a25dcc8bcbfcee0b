// One connection to one server. Nothing is queued while it is down, nothing is sent twice, a server that falls silent is
// dropped, and none is believed before it has been examined, each time that it is reached anew.
import type { Redis, RedisOptions } from 'ioredis';
import { CacheUnavailable } from './errors.js';
import { factsOf, refusalIn, type ServerFacts } from './redis-facts.js';
import { type Call, run } from './scripts.js';

export const LINK_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 2_000,
  socketTimeout: 5_000,
  replyMapping: 'legacy',
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
} satisfies RedisOptions;

/** Before a client that has given up is told to connect again. */
const AGAIN_MS = 100;

/** The client gives up for good when it is told to look anew while it is asking the sentinels. */
export function keepConnecting(redis: Redis, isClosed: () => boolean): void {
  redis.on('end', () => {
    const again = () => void (isClosed() || redis.connect().catch(() => {}));
    setTimeout(again, AGAIN_MS).unref();
  });
}

/** Told each time that a server was examined, or refused us. */
export type Tell = (fault: string | undefined) => void;

export class RedisLink {
  readonly #redis: Redis;
  readonly #tell: Tell;
  #facts: ServerFacts | undefined;
  #refusal: string | undefined;
  #closed = false;
  #connected: Promise<void> | undefined;
  #examined: Promise<void> = Promise.resolve();

  /** Connects when `connect` is called, and from then on again whenever it is lost. */
  constructor(redis: Redis, tell: Tell) {
    this.#redis = redis;
    this.#tell = tell;
    redis.on('error', (error) => this.#heed(error));
    redis.on('ready', () => {
      this.#examined = this.#examine();
    });
    redis.on('close', () => {
      this.#facts = undefined;
    });
    keepConnecting(redis, () => this.#closed);
  }

  /** Resolves once the server is examined, or the first attempt has failed. */
  connect(): Promise<void> {
    this.#connected ??= this.#redis
      .connect()
      .catch(() => {})
      .then(() => this.#examined);
    return this.#connected;
  }

  /** What the server said of itself when it was reached; undefined while it is not. */
  get facts(): ServerFacts | undefined {
    return this.#facts;
  }

  /** Whether the server was reached, and may hold the cache. */
  get isUsable(): boolean {
    return this.#refusal === undefined && this.#facts !== undefined && this.#facts.fault === undefined;
  }

  /** Why the server refuses us, or we it, with what to change; undefined while neither does. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /**
   * Runs all calls in one round-trip. A reply is what the script returned, or the error it failed with.
   * @throws {CacheUnavailable} at once when the server is out of reach or unsuitable.
   */
  async run(calls: readonly Call[]): Promise<unknown[]> {
    if (this.#refusal !== undefined) throw new CacheUnavailable(this.#refusal, 'connection');
    if (!this.#facts) throw new CacheUnavailable('Redis is out of reach.', 'connection');
    if (this.#facts.fault !== undefined) throw new CacheUnavailable(this.#facts.fault, 'connection');
    return run(this.#redis, calls);
  }

  /** Asks the server itself, about something that is in no partition. */
  async ask(command: string, ...args: readonly string[]): Promise<unknown> {
    return this.#redis.call(command, ...args);
  }

  /** Lets go of the server and looks for it anew. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    this.#redis.disconnect();
  }

  async #examine(): Promise<void> {
    try {
      this.#facts = factsOf(await this.#redis.info());
      this.#refusal = undefined;
      this.#tell(this.#facts.fault);
    } catch (error) {
      this.#heed(error);
    }
  }

  #heed(error: unknown): void {
    const refusal = refusalIn(error);
    if (refusal === undefined) return;
    this.#refusal = refusal;
    this.#tell(refusal);
  }
}
