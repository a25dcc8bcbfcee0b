// What one request sees of the cache: each entry at most once, decoded once, and traced. A mutation clears it, so that
// what the request reads next is as new as its own write.
import type { Clock } from './clock.js';
import type { Floors } from './floors.js';
import { nameOfPart, type Part } from './part.js';
import { loadedReading, type Outcome, type RawReading, type Reader } from './reader.js';
import {
  type AnyView,
  type HashView,
  type ListView,
  type Loaded,
  printedKey,
  type SetView,
  type TextView,
} from './view.js';

/** A value with what vouches for it, or the knowledge that there is none. */
export type Reading<Value> = Present<Value> | { readonly kind: 'absent' };

export interface Present<Value> extends Vouched {
  readonly kind: 'present';
  readonly value: Value;
}

interface Vouched {
  readonly version: bigint;
  /** When this version was written. */
  readonly asOf: Date;
  /** True only when neither store could vouch for it. */
  readonly stale: boolean;
}

/** Fields of a hash. */
export type Fields<Field> =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'present'; readonly fields: ReadonlyMap<string, Field>; readonly count: number } & Vouched);

/** Whether each of the members asked for is in a set. */
export type Membership =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'present'; readonly contains: readonly boolean[]; readonly count: number } & Vouched);

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
  readonly #floors: Floors;
  readonly #seen = new Map<string, Promise<unknown>>();
  readonly #primed = new Map<string, Loaded>();
  /** Versions below which no answer is good enough, by entry. */
  readonly #demanded = new Map<string, bigint>();
  readonly #trace: TraceEntry[] = [];

  constructor(reader: Reader<Source>, clock: Clock, floors: Floors) {
    this.#reader = reader;
    this.#clock = clock;
    this.#floors = floors;
  }

  /** One document of a text view. */
  read<Value>(view: TextView<Source, Value>, key: string): Promise<Reading<Value>> {
    return this.#once(`${view.name}:${key}`, async () => {
      const raw = await this.#traced(view, key);
      if (raw.value === null) return { kind: 'absent' };
      return {
        kind: 'present',
        value: view.decode(raw.value),
        ...vouchedBy(raw),
      };
    });
  }

  /**
   * One document of a text view at `version` or a newer one, for whoever knows of that version: through the cache, and from
   * SQL where the cache is behind. Rejects with what the database threw, also where an older value is at hand.
   */
  readAtLeast<Value>(view: TextView<Source, Value>, key: string, version: bigint): Promise<Reading<Value>> {
    const name = `${view.name}:${key}`;
    this.#demanded.set(name, version);
    this.#seen.delete(name);
    return this.read(view, key);
  }

  /** Rows `first` to `last` of a list view, both inclusive and 0-based. An absent list has no rows. */
  readRows<Member>(
    view: ListView<Source, Member>,
    key: string,
    page: { readonly first: number; readonly last: number },
  ): Promise<Rows<Member>> {
    return this.#part(view, key, { kind: 'rows', ...page }, ({ members, count }) => ({
      members: members.flatMap((row) => (row === null ? [] : [view.decodeMember(row)])),
      count,
    }));
  }

  /** Those of the fields `names` that a hash view's entry has; nothing else is moved. */
  readFields<Field>(view: HashView<Source, Field>, key: string, names: readonly string[]): Promise<Fields<Field>> {
    return this.#part(view, key, { kind: 'fields', names }, (raw) =>
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
    return this.#part(view, key, { kind: 'all' }, (raw) =>
      fieldsOf(raw, (fields) => {
        for (let at = 0; at + 1 < raw.members.length; at += 2) {
          fields.set(raw.members[at] ?? '', view.decodeField(raw.members[at + 1] ?? 'null'));
        }
      }),
    );
  }

  /** Which of `members` a set view's entry has; one round-trip, however large the set. */
  readContains(view: SetView<Source>, key: string, members: readonly string[]): Promise<Membership> {
    return this.#part(view, key, { kind: 'contains', members }, (raw) =>
      raw.value === null
        ? { kind: 'absent' }
        : { kind: 'present', contains: raw.members.map((word) => word === '1'), count: raw.count, ...vouchedBy(raw) },
    );
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

  #part<Answer>(
    view: AnyView<Source>,
    key: string,
    part: Part,
    answerOf: (raw: RawReading) => Answer,
  ): Promise<Answer> {
    return this.#once(`${view.name}:${key}:${nameOfPart(part)}`, async () =>
      answerOf(await this.#traced(view, key, part)),
    );
  }

  async #traced(view: AnyView<Source>, key: string, part?: Part): Promise<RawReading> {
    const primed = this.#primed.get(`${view.name}:${key}`);
    if (primed) return loadedReading('MISS', primed, part, view.shape);
    const startedMs = this.#clock.nowMs();
    const raw = await this.#notBelowFloor(view, key, part);
    const ms = rounded(this.#clock.nowMs() - startedMs);
    const { outcome, ageMs, version } = raw;
    this.#trace.push({ view: view.name, key: printedKey(view, key), outcome, ageMs, version, ms });
    return raw;
  }

  /** Nobody reads an older version here than one that this process has told of. */
  async #notBelowFloor(view: AnyView<Source>, key: string, part: Part | undefined): Promise<RawReading> {
    const demanded = this.#demanded.size > 0 ? this.#demanded.get(`${view.name}:${key}`) : undefined;
    const told = this.#floors.of(view.name, key);
    const raw = await this.#reader.read(view, key, part);
    if (isFrom(raw, demanded) && isFrom(raw, told)) return raw;
    try {
      return await this.#reader.readAround(view, key, part);
    } catch (error) {
      if (view.mode === 'strict' || !isFrom(raw, demanded)) throw error;
      return { ...raw, outcome: 'STALE' };
    }
  }
}

const isFrom = ({ version }: RawReading, floor: bigint | undefined): boolean =>
  floor === undefined || BigInt(version) >= floor;

const vouchedBy = ({ version, changedAtMs, outcome }: RawReading): Vouched => ({
  version: BigInt(version),
  asOf: new Date(changedAtMs),
  stale: outcome === 'STALE',
});

function fieldsOf<Field>(raw: RawReading, fill: (fields: Map<string, Field>) => void): Fields<Field> {
  if (raw.value === null) return { kind: 'absent' };
  const fields = new Map<string, Field>();
  fill(fields);
  return { kind: 'present', fields, count: raw.count, ...vouchedBy(raw) };
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
