// Loads from SQL what the store lacks: one statement per view and turn, however many keys and readers, and stores it
// under the lease, if there is one.
import { Asked, TurnBatch } from './batch.js';
import type { Clock } from './clock.js';
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
const FILLS_PER_CALL = 100;

/** The right to fill one entry, as granted by a read under `guard`. */
export interface Lease {
  readonly token: string;
  readonly fences: readonly string[];
  readonly guard: Guard;
}

export interface RefillOptions<Source> {
  readonly store: Store;
  readonly trust: Pick<Trust, 'succeeded' | 'failed' | 'distrust'>;
  readonly source: Source;
  readonly partitions: number;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: Events;
}

interface Question {
  readonly key: string;
  lease: Lease | undefined;
  /** Resolves when the answer is known, to whether the store has taken it. */
  readonly settled: Asked<undefined, boolean>;
}

export class Refill<Source> {
  readonly #options: RefillOptions<Source>;
  readonly #batches = new Map<string, TurnBatch<Question, Loaded>>();
  /** Leased loads whose SQL has been sent, by entry. */
  readonly #flights = new Map<string, Promise<boolean>>();

  constructor(options: RefillOptions<Source>) {
    this.#options = options;
  }

  /**
   * What SQL says of `key`. Joins a load of the same entry only while its statement is not sent yet.
   * Rejects with what the database threw.
   */
  load(view: AnyView<Source>, key: string, lease?: Lease): Promise<Loaded> {
    return this.#ask(view, key, lease).answer;
  }

  /** Loads `key` and stores it under `lease`; resolves to whether the store took it. Rejects with what the database threw. */
  async fill(view: AnyView<Source>, key: string, lease: Lease): Promise<boolean> {
    const { answer, question } = this.#ask(view, key, lease);
    await answer;
    return question.settled.answer;
  }

  #ask(view: AnyView<Source>, key: string, lease: Lease | undefined): Asked<Question, Loaded> {
    let batch = this.#batches.get(view.name);
    if (!batch) {
      batch = new TurnBatch((asked) => this.#send(view, [...asked.values()]));
      this.#batches.set(view.name, batch);
    }
    const asked = batch.ask(key, { key, lease: undefined, settled: new Asked(undefined) });
    if (lease) {
      asked.question.lease = lease;
      const name = nameOf({ view: view.name, key });
      const flight = asked.question.settled.answer.finally(() => {
        if (this.#flights.get(name) === flight) this.#flights.delete(name);
      });
      this.#flights.set(name, flight);
    }
    return asked;
  }

  /** Resolves when this process's own leased load of the entry is over; undefined where there is none. */
  flightOf(entry: EntryRef): Promise<boolean> | undefined {
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

  #send(view: AnyView<Source>, asked: readonly Asked<Question, Loaded>[]): void {
    for (let at = 0; at < asked.length; at += KEYS_PER_STATEMENT) {
      void this.#sendStatement(view, asked.slice(at, at + KEYS_PER_STATEMENT));
    }
  }

  async #sendStatement(view: AnyView<Source>, asked: readonly Asked<Question, Loaded>[]): Promise<void> {
    const { source, clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const keys = asked.map(({ question }) => question.key);
    let filled: ReadonlySet<string> = new Set();
    try {
      const rows = new Map((await view.load(source, keys)).map((row) => [row.key, row]));
      events.emit({ kind: 'loaded', view: view.name, keys, ms: clock.nowMs() - startedMs });
      const leased: [Loaded, Lease][] = [];
      for (const one of asked) {
        const row = rows.get(one.question.key);
        if (!row) {
          one.reject(new Error(`View ${view.name} did not load every key that it was asked for.`));
          continue;
        }
        if (one.question.lease) leased.push([row, one.question.lease]);
        one.resolve(row);
      }
      const taken: string[] = [];
      for (let at = 0; at < leased.length; at += FILLS_PER_CALL) {
        taken.push(...(await this.#fill(view, leased.slice(at, at + FILLS_PER_CALL))));
      }
      filled = new Set(taken);
    } catch (error) {
      for (const one of asked) one.reject(error);
      await this.#giveBack(
        asked.flatMap(({ question }) =>
          question.lease ? [{ ...question.lease, view: view.name, key: question.key }] : [],
        ),
      );
    } finally {
      for (const { question } of asked) question.settled.resolve(filled.has(question.key));
    }
  }

  /** The keys that the store took. Never fails: an answer from SQL is good whether or not the store keeps it. */
  async #fill(view: AnyView<Source>, leased: readonly (readonly [Loaded, Lease])[]): Promise<readonly string[]> {
    const { store, trust, events } = this.#options;
    const filled: string[] = [];
    const batches = new Map<string, GuardedPartition & { items: FillItem[] }>();
    for (const [row, { token, fences, guard }] of leased) {
      if (!fences.every((xid) => endedIn(row.snapshot, xid))) {
        events.emit({ kind: 'unfillable', view: view.name, key: row.key });
        continue;
      }
      const partition = partitionOf(view.name, row.key, this.#options.partitions);
      const name = `${partition} ${guard.generation} ${guard.epoch}`;
      const batch = batches.get(name) ?? { partition, guard, items: [] };
      batches.set(name, batch);
      batch.items.push({ ...this.storedForm(view, row), token });
    }
    if (batches.size === 0) return filled;
    try {
      const sent = [...batches.values()];
      const replies = await store.fill(sent);
      trust.succeeded();
      sent.forEach(({ partition, items }, at) => {
        const reply = replies[at];
        if (reply?.kind !== 'done') return trust.distrust([partition], 'A refill met another generation.');
        items.forEach(({ key }, index) => {
          const taken = reply.replies[index] === 'filled';
          if (taken) filled.push(key);
          events.emit({ kind: taken ? 'filled' : 'refused', view: view.name, key });
        });
      });
    } catch (error) {
      trust.failed(error);
      await this.#giveBack(leased.map(([{ key }, lease]) => ({ ...lease, view: view.name, key })));
    }
    return filled;
  }

  /** Takes leases that nothing came of away again, so that the next reader need not wait for them. Best effort. */
  async #giveBack(leases: readonly (Lease & EntryRef)[]): Promise<void> {
    const { store, partitions } = this.#options;
    const batches = leases.map(({ view, key, guard }) => ({
      partition: partitionOf(view, key, partitions),
      guard,
      items: [{ view, key, version: '0', xid: '0' }],
    }));
    if (batches.length > 0) await store.drop(batches).catch(() => {});
  }
}

const nameOf = ({ view, key }: EntryRef) => `${view}:${key}`;
