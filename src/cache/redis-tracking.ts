// A connection on which a server tells of each change of a key that was asked about on it (CLIENT TRACKING), in the order in
// which things happen there. So what was learned on it stood when a later reply was written, unless it was told of before
// that reply. A server that is lost, or falls silent, takes all of that with it.
//
// The client reaches the server, and does so again whenever it is lost; what it does with each reply takes longer than all else,
// and it does not hear what it has not asked for: once it is ready, what comes is read here.
import type { Redis, RedisOptions } from 'ioredis';
import { commandOf } from './redis-command.js';
import { keepConnecting } from './redis-link.js';
import { Refused, type Reply, RespReader } from './resp.js';
import { TrackedKeys } from './tracked-keys.js';

/** For the client of such a connection: it hears no reply that it could wait for. */
export const TRACKING_OPTIONS = { protocol: 3, socketTimeout: undefined } satisfies RedisOptions;

/** A command, and who hears the reply at its place in the order of things. */
export interface Asked {
  /** As it is written. */
  readonly command: string | Buffer;
  readonly hear: (reply: Reply) => void;
}

type Stream = Redis['stream'];

export class RedisTracking {
  readonly #redis: Redis;
  #session: TrackingSession | undefined;
  #closed = false;

  /** Connects when `connect` is called, and from then on again whenever it is lost. */
  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('error', () => {}); // the other connections to this server tell
    redis.on('ready', () => this.#begin(redis.stream));
    redis.on('close', () => this.#end());
    keepConnecting(redis, () => this.#closed);
  }

  /** Returns at once: without a session, others are to be asked. */
  connect(): void {
    void this.#redis.connect().catch(() => {});
  }

  /** Undefined while the server is out of reach, or does not track. */
  get session(): TrackingSession | undefined {
    return this.#session?.isOpen ? this.#session : undefined;
  }

  /** Lets go of the server and looks for it anew. */
  reconnect(): void {
    this.#end();
    this.#redis.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#redis.disconnect();
  }

  #begin(stream: Stream): void {
    this.#end();
    this.#session = new TrackingSession(stream);
  }

  #end(): void {
    this.#session?.end();
    this.#session = undefined;
  }
}

/** How a question ended: with its replies; or without, as the connection was lost, or the server took too long. */
export type Ended = 'heard' | 'lost' | 'silent';

interface Waiting {
  readonly asked: readonly Asked[];
  heard: number;
  readonly dueMs: number;
  readonly end: (how: Ended) => void;
}

/** For the server to begin to track. */
const OPEN_MS = 2_000;

/** One life of the connection. */
export class TrackingSession {
  /** What was learned, as far as it was not told to have changed. */
  readonly keys = new TrackedKeys();
  readonly #stream: Stream;
  readonly #waiting: Waiting[] = [];
  #state: 'opening' | 'open' | 'ended' = 'opening';
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    const reader = new RespReader({ reply: (reply) => this.#heed(reply), push: (words) => this.#told(words) });
    stream.removeAllListeners('data');
    stream.on('data', (piece: Buffer) => {
      try {
        reader.read(piece);
      } catch {
        this.end();
      }
    });
    this.#open();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Asks all of it in one piece. `end` is called once, at the place of the last reply, or within `withinMs`. */
  ask(asked: readonly Asked[], withinMs: number, end: (how: Ended) => void): void {
    if (this.#state === 'ended') {
      end('lost');
      return;
    }
    this.#waiting.push({ asked, heard: 0, dueMs: performance.now() + withinMs, end });
    this.#write(asked);
    this.#timer ??= this.#lookIn(withinMs);
  }

  end(how: Ended = 'lost'): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#timer);
    this.keys.clear();
    this.#stream.destroy();
    for (const { end } of this.#waiting.splice(0)) end(how);
  }

  /** A server that does not track, or does not let us, is not asked again before it is reached anew. */
  #open(): void {
    let isRefused = false;
    const hear = (reply: Reply) => {
      isRefused ||= reply instanceof Refused;
    };
    const asked = OPENING.map((words) => ({ command: commandOf(words), hear }));
    this.ask(asked, OPEN_MS, (how) => {
      clearTimeout(this.#timer); // which is for longer than others wait
      this.#timer = undefined;
      if (how === 'heard' && !isRefused) this.#state = 'open';
    });
  }

  #write(asked: readonly Asked[]): void {
    const stream = this.#stream;
    const [only] = asked;
    if (only && asked.length === 1) {
      stream.write(only.command);
      return;
    }
    stream.cork();
    for (const { command } of asked) stream.write(command);
    stream.uncork();
  }

  #heed(reply: Reply): void {
    const [first] = this.#waiting;
    if (!first) {
      this.end(); // nobody has asked
      return;
    }
    first.asked[first.heard]?.hear(reply);
    first.heard += 1;
    if (first.heard < first.asked.length) return;
    this.#waiting.shift();
    first.end('heard');
  }

  #told([kind, names]: readonly Reply[]): void {
    if (kind !== 'invalidate') return;
    if (Array.isArray(names)) for (const name of names) this.keys.changed(String(name));
    else this.keys.clear(); // of all at once
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  /** Whether who has waited longest has done so for too long. One timer for all: hardly ever does it find anybody. */
  #look(): void {
    this.#timer = undefined;
    const [first] = this.#waiting;
    if (!first) return;
    const leftMs = first.dueMs - performance.now();
    if (leftMs > 0) {
      this.#timer = this.#lookIn(leftMs);
      return;
    }
    // A turn more: after a stall of this process the reply may lie in the socket, unread.
    setImmediate(() => {
      if (this.#waiting[0] === first) this.end('silent');
      else this.#timer ??= this.#lookIn(0);
    });
  }
}

/** Without RESP3 the server would track, and tell nobody. */
const OPENING = [
  ['HELLO', '3'],
  ['CLIENT', 'TRACKING', 'ON'],
];
