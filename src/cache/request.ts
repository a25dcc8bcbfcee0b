// What one request sees of the cache: each entry at most once, decoded once, and traced. A mutation clears it, so that
// what the request reads next is as new as its own write.
import type { Clock } from './clock.js';
import { loadedReading, type Outcome, type RawReading, type Reader } from './reader.js';
import type { Page } from './store.js';
import { type AnyView, type ListView, type Loaded, printedKey, type TextView } from './view.js';

/** A value with what vouches for it, or the knowledge that there is none. */
export type Reading<Value> = Present<Value> | { readonly kind: 'absent' };

export interface Present<Value> {
  readonly kind: 'present';
  readonly value: Value;
  readonly version: bigint;
  /** When this version was written. */
  readonly asOf: Date;
  /** True only when neither store could vouch for it. */
  readonly stale: boolean;
}

export interface Rows<Member> {
  readonly members: readonly Member[];
  /** Rows in the whole list. */
  readonly count: number;
}

/** One read, as told to whoever asks where an answer came from. */
export interface TraceEntry {
  readonly view: string;
  readonly key: string;
  readonly outcome: Outcome;
  readonly ageMs: number;
  readonly version: string;
  readonly ms: number;
}

export class RequestCache<Source> {
  readonly #reader: Reader<Source>;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Promise<unknown>>();
  readonly #primed = new Map<string, Loaded>();
  readonly #trace: TraceEntry[] = [];

  constructor(reader: Reader<Source>, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** One document of a text view. */
  read<Value>(view: TextView<Source, Value>, key: string): Promise<Reading<Value>> {
    return this.#once(`${view.name}:${key}`, async () => {
      const raw = await this.#traced(view, key);
      if (raw.value === null) return { kind: 'absent' };
      return {
        kind: 'present',
        value: view.decode(raw.value),
        version: BigInt(raw.version),
        asOf: new Date(raw.changedAtMs),
        stale: raw.outcome === 'STALE',
      };
    });
  }

  /** Rows `page.first` to `page.last` of a list view, both inclusive and 0-based. An absent list has no rows. */
  readRows<Member>(view: ListView<Source, Member>, key: string, page: Page): Promise<Rows<Member>> {
    return this.#once(`${view.name}:${key}:${page.first}-${page.last}`, async () => {
      const raw = await this.#traced(view, key, page);
      return { members: raw.members.map(view.decodeMember), count: raw.count };
    });
  }

  /** Takes in what this request's own transaction has committed, so that it reads back its write whatever the store holds. */
  prime(view: AnyView<Source>, loaded: Loaded): void {
    this.#primed.set(`${view.name}:${loaded.key}`, loaded);
  }

  /** Forgets what was read. */
  clear(): void {
    this.#seen.clear();
    this.#primed.clear();
  }

  /** Runs a read that goes around the cache, told so that the trace is whole. */
  async bypassing<Answer>(view: string, key: string, read: () => Promise<Answer>): Promise<Answer> {
    const startedMs = this.#clock.nowMs();
    const answer = await read();
    const ms = rounded(this.#clock.nowMs() - startedMs);
    this.#trace.push({ view, key, outcome: 'BYPASS', ageMs: 0, version: '0', ms });
    return answer;
  }

  get trace(): readonly TraceEntry[] {
    return this.#trace;
  }

  #once<Answer>(name: string, read: () => Promise<Answer>): Promise<Answer> {
    const seen = this.#seen.get(name) as Promise<Answer> | undefined;
    if (seen) return seen;
    const answer = read();
    this.#seen.set(name, answer);
    return answer;
  }

  async #traced(view: AnyView<Source>, key: string, page?: Page): Promise<RawReading> {
    const primed = this.#primed.get(`${view.name}:${key}`);
    if (primed) return loadedReading('MISS', primed, page);
    const startedMs = this.#clock.nowMs();
    const raw = await this.#reader.read(view, key, page);
    const ms = rounded(this.#clock.nowMs() - startedMs);
    const { outcome, ageMs, version } = raw;
    this.#trace.push({ view: view.name, key: printedKey(view, key), outcome, ageMs, version, ms });
    return raw;
  }
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
