// Loads from SQL what the store lacks: one statement per view and turn, however many keys and readers, and no more
// statements at a time than the database can take; stores it under the lease, if there is one.
import { Asked } from './batch.js';
import type { Clock } from './clock.js';
import { BoundedBatches, type ConcurrencyLimits, DEFAULT_LIMITS } from './concurrency.js';
import type { Events } from './events.js';
import { partitionOf } from './partition.js';
import { jittered, type Policies } from './policy.js';
import { endedIn } from './snapshot.js';
import type { FillItem, Guard, GuardedPartition, Store, StoredValue } from './store.js';
import type { Trust } from './trust.js';
import { type AnyView, type EntryRef, fieldOf, type Loaded } from './view.js';

/** At most this many keys go into one statement. */
const KEYS_PER_STATEMENT = 500;

/** Readers queue behind each call to the store, and its reply is due within the store's time-out. */
const ITEMS_PER_CALL = 100;

/** What could not be filled, as a transaction had not ended, is left alone for so long; then another reader may try. */
const UNFILLABLE_MS = 20;

/** The right to fill one entry, as granted by a read under `guard`. */
export interface Lease {
  readonly token: string;
  /** Transactions that must have ended in what is filled. */
  readonly xids: readonly string[];
  readonly guard: Guard;
}

/** What the store has taken in. */
export interface Filled {
  readonly stamp: string;
  /** The whole life that the entry was given. */
  readonly ttlMs: number;
  /** Under which it was stored. */
  readonly guard: Guard;
}

export interface RefillOptions<Source> {
  readonly store: Store;
  readonly trust: Pick<Trust, 'believed'>;
  readonly source: Source;
  readonly partitions: number;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: Events;
  readonly limits?: Partial<ConcurrencyLimits> | undefined;
}

interface Question extends EntryRef {
  lease: Lease | undefined;
  /** Resolves when the answer is known, to what the store has taken of it. */
  readonly settled: Asked<undefined, Filled | undefined>;
}

export class Refill<Source> {
  readonly #options: RefillOptions<Source>;
  readonly #batches: BoundedBatches<AnyView<Source>, Question, Loaded>;
  /** Leased loads that are waiting or under way, by entry. */
  readonly #flights = new Map<string, Promise<unknown>>();
  /** Questions that nothing came of; their leases are still to be given back. */
  readonly #abandoned: Question[] = [];
  #givingBack = false;

  constructor(options: RefillOptions<Source>) {
    this.#options = options;
    this.#batches = new BoundedBatches({
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      clock: options.clock,
      questionsPerBatch: KEYS_PER_STATEMENT,
      send: (view, asked) => this.#load(view, asked),
      refused: (_view, question) => this.#abandon([question]),
    });
  }

  /**
   * What SQL says of `key`. Joins a load of the same entry only while its statement is not sent yet.
   * Rejects with `Overloaded` when no statement was sent, else with what the database threw.
   */
  load(view: AnyView<Source>, key: string, lease?: Lease): Promise<Loaded> {
    return this.#ask(view, key, lease).answer;
  }

  /**
   * The same, stored under `lease`. What the store has taken is known later, and is undefined where it took nothing; that
   * never rejects.
   */
  fill(
    view: AnyView<Source>,
    key: string,
    lease: Lease,
  ): { loaded: Promise<Loaded>; filled: Promise<Filled | undefined> } {
    const { answer: loaded, question } = this.#ask(view, key, lease);
    return { loaded, filled: question.settled.answer };
  }

  #ask(view: AnyView<Source>, key: string, lease: Lease | undefined): Asked<Question, Loaded> {
    const entry = { view: view.name, key };
    const asked = this.#batches.ask(view, key, { ...entry, lease: undefined, settled: new Asked(undefined) });
    if (lease) {
      asked.question.lease = lease;
      const name = nameOf(entry);
      const flight = asked.question.settled.answer.finally(() => {
        if (this.#flights.get(name) === flight) this.#flights.delete(name);
      });
      this.#flights.set(name, flight);
    }
    return asked;
  }

  /** Resolves when this process's own leased load of the entry is over; undefined where there is none. */
  flightOf(entry: EntryRef): Promise<unknown> | undefined {
    return this.#flights.get(nameOf(entry));
  }

  /** The form in which `loaded` is stored, with its TTL. */
  storedForm(view: AnyView<Source>, loaded: Loaded): StoredValue {
    const { policies, random } = this.#options;
    const { ttlMs } = policies.of(view);
    const base = loaded.value === null ? Math.min(ttlMs, view.absentTtlMs ?? ttlMs) : ttlMs;
    const leftMs = loaded.value === null ? undefined : view.lifeLeftMs?.(loaded.value);
    return {
      view: view.name,
      key: loaded.key,
      field: fieldOf(view),
      version: loaded.version,
      changedAtMs: loaded.changedAtMs,
      ttlMs: Math.min(jittered(base, random), leftMs ?? Number.POSITIVE_INFINITY),
      value: loaded.value,
      shape: view.shape,
      members: loaded.members,
    };
  }

  /** How long an entry of the view is to live, with jitter. */
  ttlMsOf(view: AnyView<Source>): number {
    const { policies, random } = this.#options;
    return jittered(policies.of(view).ttlMs, random);
  }

  /** One statement, and its answers. What the store is told of them takes no place among the statements. */
  async #load(view: AnyView<Source>, asked: readonly Asked<Question, Loaded>[]): Promise<void> {
    const { source, clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const keys = asked.map(({ question }) => question.key);
    try {
      const rows = new Map((await view.load(source, keys)).map((row) => [row.key, row]));
      events.emit({ kind: 'loaded', view: view.name, keys, ms: clock.nowMs() - startedMs });
      const loaded: [Question, Loaded][] = [];
      for (const { question, resolve, reject } of asked) {
        const row = rows.get(question.key);
        if (row) {
          resolve(row);
          loaded.push([question, row]);
        } else {
          reject(new Error(`View ${view.name} did not load every key that it was asked for.`));
          this.#abandon([question]);
        }
      }
      this.#keep(view, loaded).catch(() => this.#abandon(loaded.map(([question]) => question)));
    } catch (error) {
      for (const { reject } of asked) reject(error);
      this.#abandon(asked.map(({ question }) => question));
    }
  }

  /** Stores what was loaded under a lease. Whether the store takes it changes no answer. */
  async #keep(view: AnyView<Source>, loaded: readonly (readonly [Question, Loaded])[]): Promise<void> {
    const leased: Leased<Filling>[] = [];
    for (const [question, row] of loaded) {
      const { lease, settled } = question;
      if (lease?.xids.every((xid) => endedIn(row.snapshot, xid))) {
        const { guard, token } = lease;
        leased.push({ guard, item: { ...this.storedForm(view, row), token, question } });
        continue;
      }
      settled.resolve(undefined);
      if (!lease) continue;
      this.#options.events.emit({ kind: 'unfillable', view: view.name, key: row.key });
      void this.#options.clock.sleep(UNFILLABLE_MS).then(() => this.#abandon([question]));
    }
    for (let at = 0; at < leased.length; at += ITEMS_PER_CALL) await this.#fill(leased.slice(at, at + ITEMS_PER_CALL));
  }

  async #fill(leased: readonly Leased<Filling>[]): Promise<void> {
    const { store, trust, events } = this.#options;
    const batches = this.#batched(leased);
    const replies = await store.fill(batches);
    const believed = trust.believed(batches, replies);
    batches.forEach(({ items, guard }, at) => {
      if (replies[at]?.kind === 'unavailable') return this.#abandon(items.map(({ question }) => question));
      const stamps = believed[at];
      items.forEach(({ view, key, ttlMs, question }, index) => {
        const stamp = stamps?.[index];
        if (stamps) events.emit({ kind: stamp === undefined ? 'refused' : 'filled', view, key });
        question.settled.resolve(stamp === undefined ? undefined : { stamp, ttlMs, guard });
      });
    });
  }

  /** Nothing came of these: leases are taken away again, so that the next reader need not wait for their end. Best effort. */
  #abandon(questions: readonly Question[]): void {
    for (const question of questions) this.#abandoned.push(question);
    if (!this.#givingBack) void this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    const { store, clock } = this.#options;
    this.#givingBack = true;
    await new Promise<void>((resolve) => clock.defer(resolve));
    while (this.#abandoned.length > 0) {
      const some = this.#abandoned.splice(0, ITEMS_PER_CALL);
      const leased = some.flatMap(({ view, key, lease }) =>
        lease ? [{ guard: lease.guard, item: { view, key, version: '0', xid: '0', lease: lease.token } }] : [],
      );
      if (leased.length > 0) await store.drop(this.#batched(leased)).catch(() => {});
      for (const { settled } of some) settled.resolve(undefined);
    }
    this.#givingBack = false;
  }

  #batched<Item extends EntryRef>(leased: readonly Leased<Item>[]): (GuardedPartition & { items: Item[] })[] {
    const batches = new Map<string, GuardedPartition & { items: Item[] }>();
    for (const { guard, item } of leased) {
      const partition = partitionOf(item.view, item.key, this.#options.partitions);
      const name = `${partition} ${guard.generation} ${guard.epoch}`;
      const batch = batches.get(name) ?? { partition, guard, items: [] };
      batches.set(name, batch);
      batch.items.push(item);
    }
    return [...batches.values()];
  }
}

/** To be sent under the guard that its lease was granted under. */
interface Leased<Item> {
  readonly guard: Guard;
  readonly item: Item;
}

interface Filling extends FillItem {
  readonly question: Question;
}

const nameOf = ({ view, key }: EntryRef) => `${view}:${key}`;
