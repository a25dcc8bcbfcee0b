// What one request sees of the cache: each entry at most once, decoded once, and traced. A mutation clears it, so that
// what the request reads next is as new as its own write.
import type { Clock } from './clock.js';
import type { Floors } from './floors.js';
import { nameOfReading, type Part } from './part.js';
import { loadedReading, type RawReading } from './raw-reading.js';
import type { Reader } from './reader.js';
import {
  type Fields,
  fieldsOf,
  type Membership,
  type Reading,
  type Rows,
  type TraceEntry,
  vouchedBy,
} from './reading.js';
import type { Ground } from './standing.js';
import {
  type AnyView,
  type HashView,
  type ListView,
  type Loaded,
  printedKey,
  type SetView,
  type TextView,
} from './view.js';

export class RequestCache<Source> {
  readonly #reader: Reader<Source>;
  readonly #clock: Clock;
  readonly #floors: Floors;
  readonly #seen = new Map<string, Promise<unknown>>();
  #primed: Map<string, Loaded> | undefined;
  /** Versions below which no answer is good enough, by entry. */
  #demanded: Map<string, bigint> | undefined;
  readonly #trace: TraceEntry[] = [];
  readonly #grounds: Ground[] = [];
  /** What the store is still taking in. */
  readonly #filling: Promise<Ground | undefined>[] = [];
  #groundless = false;

  constructor(reader: Reader<Source>, clock: Clock, floors: Floors) {
    this.#reader = reader;
    this.#clock = clock;
    this.#floors = floors;
  }

  /** One document of a text view. */
  read<Value>(view: TextView<Source, Value>, key: string): Promise<Reading<Value>> {
    return this.#once(view, key, undefined, (raw) =>
      raw.value === null ? { kind: 'absent' } : { kind: 'present', value: view.decode(raw.value), ...vouchedBy(raw) },
    );
  }

  /**
   * One document of a text view at `version` or a newer one, for whoever knows of that version: through the cache, and from
   * SQL where the cache is behind. Rejects with what the database threw, also where an older value is at hand.
   */
  readAtLeast<Value>(view: TextView<Source, Value>, key: string, version: bigint): Promise<Reading<Value>> {
    this.#demanded ??= new Map();
    this.#demanded.set(`${view.name}:${key}`, version);
    this.#seen.delete(nameOfReading(view, key, undefined));
    return this.read(view, key);
  }

  /** Rows `first` to `last` of a list view, both inclusive and 0-based. An absent list has no rows. */
  readRows<Member>(
    view: ListView<Source, Member>,
    key: string,
    page: { readonly first: number; readonly last: number },
  ): Promise<Rows<Member>> {
    return this.#once(view, key, { kind: 'rows', ...page }, ({ members: rows, count }) => {
      const members: Member[] = [];
      for (const row of rows) if (row !== null) members.push(view.decodeMember(row));
      return { members, count };
    });
  }

  /** Those of the fields `names` that a hash view's entry has; nothing else is moved. */
  readFields<Field>(view: HashView<Source, Field>, key: string, names: readonly string[]): Promise<Fields<Field>> {
    return this.#once(view, key, { kind: 'fields', names }, (raw) =>
      fieldsOf(raw, (fields) => {
        for (const [at, name] of names.entries()) {
          const json = raw.members[at];
          if (json !== null && json !== undefined) fields.set(name, view.decodeField(json));
        }
      }),
    );
  }

  /** All fields of a hash view's entry. */
  readAllFields<Field>(view: HashView<Source, Field>, key: string): Promise<Fields<Field>> {
    return this.#once(view, key, { kind: 'all' }, (raw) =>
      fieldsOf(raw, (fields) => {
        for (let at = 0; at + 1 < raw.members.length; at += 2) {
          fields.set(raw.members[at] ?? '', view.decodeField(raw.members[at + 1] ?? 'null'));
        }
      }),
    );
  }

  /** Which of `members` a set view's entry has; one round-trip, however large the set. */
  readContains(view: SetView<Source>, key: string, members: readonly string[]): Promise<Membership> {
    return this.#once(view, key, { kind: 'contains', members }, (raw) =>
      raw.value === null
        ? { kind: 'absent' }
        : { kind: 'present', contains: raw.members.map((word) => word === '1'), count: raw.count, ...vouchedBy(raw) },
    );
  }

  /** Takes in what this request's own transaction has committed, so that it reads back its write whatever the store holds. */
  prime(view: AnyView<Source>, loaded: Loaded): void {
    this.#primed ??= new Map();
    this.#primed.set(`${view.name}:${loaded.key}`, loaded);
  }

  /** Forgets what was read. */
  clear(): void {
    this.#groundless = true;
    this.#seen.clear();
    this.#primed = undefined;
  }

  /** Runs a read that goes around the cache, told so that the trace is whole. */
  async bypassing<Answer>(view: string, key: string, read: () => Promise<Answer>): Promise<Answer> {
    this.#groundless = true;
    const startedMs = this.#clock.nowMs();
    const answer = await read();
    const ms = rounded(this.#clock.nowMs() - startedMs);
    this.#trace.push({ view, key, outcome: 'BYPASS', ageMs: 0, version: '0', ms });
    return answer;
  }

  get trace(): readonly TraceEntry[] {
    return this.#trace;
  }

  /**
   * Every entry that was read here, as soon as the store has taken in those that it lacked; undefined where something was read,
   * or failed to be, that rests on none. Never rejects.
   */
  get grounds(): readonly Ground[] | undefined | Promise<readonly Ground[] | undefined> {
    if (this.#groundless) return undefined;
    return this.#filling.length === 0 ? this.#grounds : this.#filled();
  }

  async #filled(): Promise<readonly Ground[] | undefined> {
    const grounds = [...this.#grounds];
    for (const ground of await Promise.all(this.#filling)) {
      if (!ground) return undefined;
      grounds.push(ground);
    }
    return grounds;
  }

  /** What `answerOf` makes of the entry, which is asked for once. */
  #once<Answer>(
    view: AnyView<Source>,
    key: string,
    part: Part | undefined,
    answerOf: (raw: RawReading) => Answer,
  ): Promise<Answer> {
    const name = nameOfReading(view, key, part);
    const seen = this.#seen.get(name) as Promise<Answer> | undefined;
    if (seen) return seen;
    const answer = this.#traced(name, view, key, part, answerOf);
    this.#seen.set(name, answer);
    return answer;
  }

  /** The same; of a value that is held, it is the same thing for each request. */
  async #traced<Answer>(
    name: string,
    view: AnyView<Source>,
    key: string,
    part: Part | undefined,
    answerOf: (raw: RawReading) => Answer,
  ): Promise<Answer> {
    const primed = this.#primed?.get(`${view.name}:${key}`);
    if (primed) {
      this.#groundless = true;
      return answerOf(loadedReading('MISS', primed, part, view.shape));
    }
    const startedMs = this.#clock.nowMs();
    const demanded = this.#demanded?.get(`${view.name}:${key}`);
    const told = this.#floors.of(view.name, key);
    let raw: RawReading;
    try {
      raw = await this.#reader.read(view, key, part, name);
      if (!isFrom(raw, demanded) || !isFrom(raw, told)) raw = await this.#newer(view, key, part, raw, demanded);
    } catch (error) {
      this.#groundless = true;
      throw error;
    }
    // What a reading rests on is noted, and so is that there is nothing.
    if (raw.ground) this.#grounds.push(raw.ground);
    else if (raw.filled) this.#filling.push(raw.filled);
    else this.#groundless = true;
    const { outcome, ageMs, version } = raw;
    const ms = rounded(this.#clock.nowMs() - startedMs);
    this.#trace.push({ view: view.name, key: printedKey(view, key), outcome, ageMs, version, ms });
    return raw.made ? raw.made.once(() => answerOf(raw)) : answerOf(raw);
  }

  /** Nobody reads an older version here than one that this process has told of. */
  async #newer(
    view: AnyView<Source>,
    key: string,
    part: Part | undefined,
    older: RawReading,
    demanded: bigint | undefined,
  ): Promise<RawReading> {
    try {
      return await this.#reader.readAround(view, key, part);
    } catch (error) {
      if (view.mode === 'strict' || !isFrom(older, demanded)) throw error;
      const { ground: _, made: __, ...left } = older;
      return { ...left, outcome: 'STALE' };
    }
  }
}

const isFrom = ({ version }: RawReading, floor: bigint | undefined): boolean =>
  floor === undefined || BigInt(version) >= floor;

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
