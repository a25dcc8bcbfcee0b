// Reads: one round-trip to the store for everything asked in one turn of the event loop, and SQL for what the store
// cannot vouch for. An answer is never older than the newest write acknowledged before the read began: the store is
// asked anew each time, and nobody joins a statement that was sent before.
import { randomUUID } from 'node:crypto';
import { type Asked, TurnBatch } from './batch.js';
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { Held, type HeldValue, readUnder } from './held.js';
import { nameOfReading, type Part } from './part.js';
import { partitionOf } from './partition.js';
import { ABSENT, isStorable, loadedReading, type Outcome, type RawReading } from './raw-reading.js';
import type { Filled, Lease, Refill } from './refill.js';
import type { Refresher } from './refresher.js';
import type { Ground } from './standing.js';
import type { Guard, GuardedPartition, Hit, ReadItem, ReadReply, Store } from './store.js';
import type { Trust } from './trust.js';
import { type AnyView, fieldOf } from './view.js';

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
  readonly name: string;
  readonly view: AnyView<Source>;
  readonly key: string;
  readonly part: Part | undefined;
  readonly partition: number;
  /** Under whichever guard. */
  readonly held: HeldValue | undefined;
}

type StoreAnswer =
  | { readonly kind: 'hit'; readonly hit: Hit; readonly held: HeldValue | undefined; readonly guard: Guard }
  | { readonly kind: 'none'; readonly reply: Exclude<ReadReply, { kind: 'hit' | 'same' }>; readonly guard: Guard }
  | { readonly kind: 'bypass' };

/** What is asked of one partition. */
interface Batch<Source> extends GuardedPartition {
  readonly items: ReadItem[];
  readonly asked: {
    readonly one: Asked<Question<Source>, StoreAnswer>;
    readonly held: HeldValue | undefined;
  }[];
}

const EVENTS = { HIT: 'hit', MISS: 'miss', STALE: 'stale', FENCED: 'fenced', BYPASS: 'bypass' } as const;

export class Reader<Source> {
  readonly #options: ReaderOptions<Source>;
  readonly #batch: TurnBatch<Question<Source>, StoreAnswer>;
  readonly #held = new Held();

  constructor(options: ReaderOptions<Source>) {
    this.#options = options;
    this.#batch = new TurnBatch(options.clock, (asked) => void this.#flush(asked.values()));
  }

  /**
   * Rejects only with what the database threw, and for an available view only when the store holds nothing. `name` is what
   * `nameOfReading` gives, for whoever has it.
   */
  async read(
    view: AnyView<Source>,
    key: string,
    part?: Part,
    name = nameOfReading(view, key, part),
  ): Promise<RawReading> {
    const { clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const question = this.#questionOf(name, view, key, part);
    let reading: RawReading = ABSENT;
    if (question) {
      const answer = await this.#batch.ask(question.name, question).answer;
      reading = answer.kind === 'hit' ? this.#hitReading(question, answer) : await this.#refilled(question, answer);
    }
    events.emit({ kind: EVENTS[reading.outcome], view: view.name, key, ms: clock.nowMs() - startedMs });
    return reading;
  }

  /** What SQL says, whatever the store holds; the store is not told. Rejects with what the database threw. */
  async readAround(view: AnyView<Source>, key: string, part?: Part): Promise<RawReading> {
    return loadedReading('BYPASS', await this.#options.refill.load(view, key), part, view.shape);
  }

  /** Undefined where the key exists nowhere. */
  #questionOf(name: string, view: AnyView<Source>, key: string, part: Part | undefined): Question<Source> | undefined {
    const held = this.#held.of(name, key);
    if (!held && !isStorable(key)) return undefined;
    const partition = held?.partition ?? partitionOf(view.name, key, this.#options.partitions);
    return { name, view, key, part, partition, held };
  }

  /** Goes on where the store has had no value to answer. */
  async #refilled(question: Question<Source>, first: StoreAnswer): Promise<RawReading> {
    const { refill, clock } = this.#options;
    const { name, view, key, part } = question;
    let answer = first;
    let waitMs = FIRST_WAIT_MS;
    let own = 0;
    for (let attempt = 1; ; attempt++) {
      if (answer.kind === 'bypass') return this.#fromSql('BYPASS', view, key, part);
      if (answer.kind === 'hit') return this.#hitReading(question, answer);
      const { reply, guard } = answer;
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
      if (attempt >= BUSY_ATTEMPTS || own >= OWN_ATTEMPTS) return this.#fromSql('MISS', view, key, part);
      answer = await this.#batch.ask(name, question).answer;
    }
  }

  /** An available view answers what the store still holds, marked stale, when SQL fails; a strict one fails. */
  async #fromSql(
    outcome: Outcome,
    view: AnyView<Source>,
    key: string,
    part: Part | undefined,
    lease?: Lease,
  ): Promise<RawReading> {
    const { refill, refresher, partitions } = this.#options;
    try {
      if (!lease) return loadedReading(outcome, await refill.load(view, key), part, view.shape);
      const { loaded, filled } = refill.fill(view, key, lease);
      const reading = loadedReading(outcome, await loaded, part, view.shape);
      const { version, value } = reading;
      const groundOf = ({ stamp, ttlMs, guard }: Filled): Ground => {
        const dueMs = refresher.dueMs(view, { ageMs: 0, ttlMs, value });
        return {
          view: view.name,
          key,
          version,
          stamp,
          partition: partitionOf(view.name, key, partitions),
          guard,
          dueMs,
        };
      };
      return { ...reading, filled: filled.then((taken) => taken && groundOf(taken)) };
    } catch (error) {
      const left = view.mode === 'available' ? await this.#peek(view, key, part) : undefined;
      // "Does not exist" has no place for a mark that says stale.
      if (!left || left.value === null) throw error;
      return { ...left, outcome: 'STALE' };
    }
  }

  #hitReading(
    { view, key, partition }: Question<Source>,
    { hit, held, guard }: StoreAnswer & { readonly kind: 'hit' },
  ): RawReading {
    const { refresher } = this.#options;
    const { version, changedAtMs, ageMs, value, members, count, stamp } = hit;
    refresher.met(view, key, hit);
    const dueMs = refresher.dueMs(view, hit);
    let ground = held?.ground;
    if (!ground || ground.dueMs !== dueMs) {
      // Only who finds a value in the store knows its stamp.
      ground = { view: view.name, key, version, stamp, partition, guard, dueMs };
      if (held) held.ground = ground;
    }
    const reading = { outcome: 'HIT', version, changedAtMs, ageMs, value, members, count, ground } as const;
    return held ? { ...reading, made: held.made } : reading;
  }

  async #peek(view: AnyView<Source>, key: string, part: Part | undefined): Promise<Hit | undefined> {
    const { store, partitions } = this.#options;
    const item = { view: view.name, key, field: fieldOf(view), part };
    return store.peek(partitionOf(view.name, key, partitions), item).catch(() => undefined);
  }

  async #flush(asked: Iterable<Asked<Question<Source>, StoreAnswer>>): Promise<void> {
    const { store, trust, events } = this.#options;
    const batches = new Map<number, Batch<Source>>();
    const secret = randomUUID();
    let entries = 0;
    for (const one of asked) {
      const { view, key, part, partition } = one.question;
      const guard = trust.guardForReads(partition);
      if (!guard) {
        one.resolve({ kind: 'bypass' });
        continue;
      }
      let batch = batches.get(partition);
      if (!batch) {
        batch = { partition, guard, items: [], asked: [] };
        batches.set(partition, batch);
      }
      const held = readUnder(guard, one.question.held);
      const known = held?.hit.stamp;
      batch.items.push({ view: view.name, key, field: fieldOf(view), secret: `${secret}${entries++}`, known, part });
      batch.asked.push({ one, held });
    }
    if (entries === 0) return;
    const sent = [...batches.values()];
    events.emit({ kind: 'flush', entries, partitions: sent.length });
    const believed = trust.believed(sent, await store.read(sent));
    sent.forEach(({ asked, guard }, at) => {
      asked.forEach(({ one, held }, index) => {
        const reply = believed[at]?.[index];
        one.resolve(reply ? this.#answerOf(one.question, guard, reply, held) : { kind: 'bypass' });
      });
    });
  }

  #answerOf(
    { name, key, partition }: Question<Source>,
    guard: Guard,
    reply: ReadReply,
    held: HeldValue | undefined,
  ): StoreAnswer {
    if (reply.kind === 'hit')
      return { kind: 'hit', hit: reply, held: this.#held.take(name, { key, partition, guard, hit: reply }), guard };
    if (reply.kind !== 'same') return { kind: 'none', reply, guard };
    // The store says so only of a stamp that it was told.
    if (!held) return { kind: 'bypass' };
    const { ageMs, ttlMs } = reply;
    return { kind: 'hit', hit: { ...held.hit, ageMs, ttlMs }, held, guard };
  }
}
