// Reads: one round-trip to the store for everything asked in one turn of the event loop, and SQL for what the store
// cannot vouch for. An answer is never older than the newest write acknowledged before the read began: the store is
// asked anew each time, and nobody joins a statement that was sent before.
import { randomUUID } from 'node:crypto';
import { type Asked, TurnBatch } from './batch.js';
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { Members, nameOfPart, type Part } from './part.js';
import { partitionOf } from './partition.js';
import type { Lease, Refill } from './refill.js';
import type { Refresher } from './refresher.js';
import type { Ground } from './standing.js';
import type { Guard, Hit, ReadItem, ReadReply, Store } from './store.js';
import type { Trust } from './trust.js';
import { type AnyView, fieldOf, type Loaded, type Shape } from './view.js';

/** How an answer came about, for traces and counters. */
export type Outcome = 'HIT' | 'MISS' | 'STALE' | 'FENCED' | 'BYPASS';

/** One entry as read: JSON text, or null where it is known not to exist. */
export interface RawReading {
  readonly outcome: Outcome;
  readonly version: string;
  readonly changedAtMs: number;
  /** Time since the entry was stored; 0 for what was just read from SQL. */
  readonly ageMs: number;
  readonly value: string | null;
  /** The part asked for. */
  readonly members: readonly (string | null)[];
  /** Rows, fields or members in the whole. */
  readonly count: number;
  /** What it rests on; left out unless the store had it and vouches for it. */
  readonly ground?: Ground;
}

export interface ReaderOptions<Source> {
  readonly store: Store;
  readonly trust: Trust;
  readonly refill: Refill<Source>;
  readonly refresher: Refresher<Source>;
  readonly partitions: number;
  readonly clock: Clock;
  readonly events: Events;
}

/** Waits for another process's refill: 2, 4, 8 … ms, in all about a quarter of a second, then SQL. */
const BUSY_ATTEMPTS = 7;
const FIRST_WAIT_MS = 2;
/** Own refills may be refused again and again while writers are at work; then SQL, without a lease. */
const OWN_ATTEMPTS = 3;

interface Question<Source> {
  readonly view: AnyView<Source>;
  readonly key: string;
  readonly part: Part | undefined;
}

type StoreAnswer =
  | { readonly kind: 'reply'; readonly reply: ReadReply; readonly guard: Guard }
  | { readonly kind: 'bypass' };

export class Reader<Source> {
  readonly #options: ReaderOptions<Source>;
  readonly #batch: TurnBatch<Question<Source>, StoreAnswer>;

  constructor(options: ReaderOptions<Source>) {
    this.#options = options;
    this.#batch = new TurnBatch(options.clock, (asked) => void this.#flush([...asked.values()]));
  }

  /** Rejects only with what the database threw, and for an available view only when the store holds nothing. */
  async read(view: AnyView<Source>, key: string, part?: Part): Promise<RawReading> {
    const { clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const reading = isStorable(key) ? await this.#read(view, key, part) : ABSENT;
    const kind = ({ HIT: 'hit', MISS: 'miss', STALE: 'stale', FENCED: 'fenced', BYPASS: 'bypass' } as const)[
      reading.outcome
    ];
    events.emit({ kind, view: view.name, key, ms: clock.nowMs() - startedMs });
    return reading;
  }

  /** What SQL says, whatever the store holds; the store is not told. Rejects with what the database threw. */
  async readAround(view: AnyView<Source>, key: string, part?: Part): Promise<RawReading> {
    return loadedReading('BYPASS', await this.#options.refill.load(view, key), part, view.shape);
  }

  async #read(view: AnyView<Source>, key: string, part: Part | undefined): Promise<RawReading> {
    const { refill, refresher, clock } = this.#options;
    const name = `${view.name}:${key}:${nameOfPart(part)}`;
    let waitMs = FIRST_WAIT_MS;
    let own = 0;
    for (let attempt = 0; attempt < BUSY_ATTEMPTS && own < OWN_ATTEMPTS; attempt++) {
      const answer = await this.#batch.ask(name, { view, key, part }).answer;
      if (answer.kind === 'bypass') return this.#fromSql('BYPASS', view, key, part);
      const { reply, guard } = answer;
      if (reply.kind === 'hit') {
        refresher.met(view, key, reply);
        return { ...reply, outcome: 'HIT', ground: this.#groundOf(view, key, reply, guard) };
      }
      if (reply.kind === 'fenced') return this.#fromSql('FENCED', view, key, part);
      if (reply.kind === 'lease') {
        const lease: Lease = { token: reply.token, xids: reply.xids, guard };
        return this.#fromSql('MISS', view, key, part, lease);
      }
      const flight = refill.flightOf({ view: view.name, key });
      if (flight) {
        own++;
        await flight;
      } else {
        await clock.sleep(waitMs);
        waitMs *= 2;
      }
    }
    return this.#fromSql('MISS', view, key, part);
  }

  /** An available view answers what the store still holds, marked stale, when SQL fails; a strict one fails. */
  async #fromSql(
    outcome: Outcome,
    view: AnyView<Source>,
    key: string,
    part: Part | undefined,
    lease?: Lease,
  ): Promise<RawReading> {
    try {
      return loadedReading(outcome, await this.#options.refill.load(view, key, lease), part, view.shape);
    } catch (error) {
      const left = view.mode === 'available' ? await this.#peek(view, key, part) : undefined;
      // "Does not exist" has no place for a mark that says stale.
      if (!left || left.value === null) throw error;
      return { ...left, outcome: 'STALE' };
    }
  }

  /** Only who finds a value in the store knows its stamp. */
  #groundOf(view: AnyView<Source>, key: string, hit: Hit, guard: Guard): Ground {
    const { partitions, refresher } = this.#options;
    const partition = partitionOf(view.name, key, partitions);
    const { version, stamp } = hit;
    const dueMs = refresher.dueMs(view, hit);
    return { view: view.name, key, field: fieldOf(view), version, stamp, partition, guard, dueMs };
  }

  async #peek(view: AnyView<Source>, key: string, part: Part | undefined): Promise<Hit | undefined> {
    const { store, partitions } = this.#options;
    const item = { view: view.name, key, field: fieldOf(view), part };
    return store.peek(partitionOf(view.name, key, partitions), item).catch(() => undefined);
  }

  async #flush(asked: readonly Asked<Question<Source>, StoreAnswer>[]): Promise<void> {
    const { store, trust, partitions, events } = this.#options;
    const batches = new Map<
      number,
      { partition: number; guard: Guard; items: ReadItem[]; asked: Asked<Question<Source>, StoreAnswer>[] }
    >();
    const secret = randomUUID();
    for (const [at, one] of asked.entries()) {
      const { view, key, part } = one.question;
      const partition = partitionOf(view.name, key, partitions);
      const guard = trust.guardForReads(partition);
      if (!guard) {
        one.resolve({ kind: 'bypass' });
        continue;
      }
      const batch = batches.get(partition) ?? { partition, guard, items: [], asked: [] };
      batches.set(partition, batch);
      batch.items.push({ view: view.name, key, field: fieldOf(view), secret: `${secret}${at}`, part });
      batch.asked.push(one);
    }
    if (batches.size === 0) return;
    const sent = [...batches.values()];
    events.emit({
      kind: 'flush',
      entries: sent.reduce((sum, { items }) => sum + items.length, 0),
      partitions: sent.length,
    });
    const believed = trust.believed(sent, await store.read(sent));
    sent.forEach((batch, at) => {
      batch.asked.forEach((one, index) => {
        const reply = believed[at]?.[index];
        one.resolve(reply ? { kind: 'reply', reply, guard: batch.guard } : { kind: 'bypass' });
      });
    });
  }
}

/** What Postgres cannot hold exists nowhere; asked for, it would fail the statement that others share. */
export const isStorable = (key: string): boolean => !key.includes('\0') && !/\p{Surrogate}/u.test(key);

const ABSENT: RawReading = {
  outcome: 'MISS',
  version: '0',
  changedAtMs: 0,
  ageMs: 0,
  value: null,
  members: [],
  count: 0,
};

/** What SQL said, cut to the part asked for. */
export function loadedReading(outcome: Outcome, loaded: Loaded, part: Part | undefined, shape: Shape): RawReading {
  const members = new Members(shape, loaded.members ?? []);
  return {
    outcome,
    version: loaded.version,
    changedAtMs: loaded.changedAtMs,
    ageMs: 0,
    value: loaded.value,
    members: members.part(part),
    count: members.count,
  };
}
