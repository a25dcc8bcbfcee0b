// Reads: one round-trip to the store for everything asked in one turn of the event loop, and SQL for what the store
// cannot vouch for. An answer is never older than the newest write acknowledged before the read began: the store is
// asked anew each time, and nobody joins a statement that was sent before.
import { randomBytes } from 'node:crypto';
import { type Asked, TurnBatch } from './batch.js';
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { partitionOf } from './partition.js';
import type { Lease, Refill } from './refill.js';
import type { Guard, Hit, Page, ReadItem, ReadReply, Store } from './store.js';
import type { Trust } from './trust.js';
import { type AnyView, fieldOf, type Loaded } from './view.js';

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
  /** The rows of the page asked for. */
  readonly members: readonly string[];
  /** Rows in the whole list. */
  readonly count: number;
}

export interface ReaderOptions<Source> {
  readonly store: Store;
  readonly trust: Trust;
  readonly refill: Refill<Source>;
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
  readonly page: Page | undefined;
}

type StoreAnswer =
  | { readonly kind: 'reply'; readonly reply: ReadReply; readonly guard: Guard; readonly token: string }
  | { readonly kind: 'bypass' };

export class Reader<Source> {
  readonly #options: ReaderOptions<Source>;
  readonly #batch: TurnBatch<Question<Source>, StoreAnswer>;

  constructor(options: ReaderOptions<Source>) {
    this.#options = options;
    this.#batch = new TurnBatch((asked) => void this.#flush([...asked.values()]));
  }

  /** Rejects only with what the database threw, and for an available view only when the store holds nothing. */
  async read(view: AnyView<Source>, key: string, page?: Page): Promise<RawReading> {
    const { clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const reading = isStorable(key) ? await this.#read(view, key, page) : ABSENT;
    const kind = ({ HIT: 'hit', MISS: 'miss', STALE: 'stale', FENCED: 'fenced', BYPASS: 'bypass' } as const)[
      reading.outcome
    ];
    events.emit({ kind, view: view.name, key, ms: clock.nowMs() - startedMs });
    return reading;
  }

  async #read(view: AnyView<Source>, key: string, page: Page | undefined): Promise<RawReading> {
    const { refill, clock } = this.#options;
    const name = `${view.name}:${key}:${page ? `${page.first}-${page.last}` : ''}`;
    let waitMs = FIRST_WAIT_MS;
    let own = 0;
    for (let attempt = 0; attempt < BUSY_ATTEMPTS && own < OWN_ATTEMPTS; attempt++) {
      const answer = await this.#batch.ask(name, { view, key, page }).answer;
      if (answer.kind === 'bypass') return this.#fromSql('BYPASS', view, key, page);
      const { reply, guard, token } = answer;
      if (reply.kind === 'hit') return { ...reply, outcome: 'HIT' };
      if (reply.kind === 'fenced') return this.#fromSql('FENCED', view, key, page);
      if (reply.kind === 'lease') {
        const lease: Lease = { token, fences: reply.fences, guard };
        return this.#fromSql('MISS', view, key, page, lease);
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
    return this.#fromSql('MISS', view, key, page);
  }

  /** An available view answers what the store still holds, marked stale, when SQL fails; a strict one fails. */
  async #fromSql(
    outcome: Outcome,
    view: AnyView<Source>,
    key: string,
    page: Page | undefined,
    lease?: Lease,
  ): Promise<RawReading> {
    try {
      return loadedReading(outcome, await this.#options.refill.load(view, key, lease), page);
    } catch (error) {
      const left = view.mode === 'available' ? await this.#peek(view, key, page) : undefined;
      if (!left) throw error;
      return { ...left, outcome: 'STALE' };
    }
  }

  async #peek(view: AnyView<Source>, key: string, page: Page | undefined): Promise<Hit | undefined> {
    const { store, trust, partitions } = this.#options;
    const partition = partitionOf(view.name, key, partitions);
    const guard = trust.guardOf(partition);
    if (!guard) return undefined;
    const item = { view: view.name, key, field: fieldOf(view), ...(page && { page }) };
    return store.peek({ partition, guard }, item).catch(() => undefined);
  }

  async #flush(asked: readonly Asked<Question<Source>, StoreAnswer>[]): Promise<void> {
    const { store, trust, partitions, events } = this.#options;
    const batches = new Map<
      number,
      { partition: number; guard: Guard; items: ReadItem[]; asked: Asked<Question<Source>, StoreAnswer>[] }
    >();
    const secret = randomBytes(16).toString('base64url');
    for (const [at, one] of asked.entries()) {
      const { view, key, page } = one.question;
      const partition = partitionOf(view.name, key, partitions);
      const guard = trust.guardOf(partition);
      if (!guard) {
        one.resolve({ kind: 'bypass' });
        continue;
      }
      const batch = batches.get(partition) ?? { partition, guard, items: [], asked: [] };
      batches.set(partition, batch);
      batch.items.push({ view: view.name, key, field: fieldOf(view), token: `${secret}${at}`, ...(page && { page }) });
      batch.asked.push(one);
    }
    if (batches.size === 0) return;
    const sent = [...batches.values()];
    events.emit({
      kind: 'flush',
      entries: sent.reduce((sum, { items }) => sum + items.length, 0),
      partitions: sent.length,
    });
    try {
      const replies = await store.read(sent);
      trust.succeeded();
      sent.forEach((batch, at) => {
        const answered = replies[at];
        if (answered?.kind !== 'done') trust.distrust([batch.partition], 'A read met another generation.');
        batch.asked.forEach((one, index) => {
          const reply = answered?.kind === 'done' ? answered.replies[index] : undefined;
          const token = batch.items[index]?.token ?? '';
          one.resolve(reply ? { kind: 'reply', reply, guard: batch.guard, token } : { kind: 'bypass' });
        });
      });
    } catch (error) {
      trust.failed(error);
      for (const { asked } of sent) for (const one of asked) one.resolve({ kind: 'bypass' });
    }
  }
}

/** What Postgres cannot hold exists nowhere; asked for, it would fail the statement that others share. */
const isStorable = (key: string): boolean => !key.includes('\0') && !/\p{Surrogate}/u.test(key);

const ABSENT: RawReading = {
  outcome: 'MISS',
  version: '0',
  changedAtMs: 0,
  ageMs: 0,
  value: null,
  members: [],
  count: 0,
};

/** What SQL said, cut to the page asked for. */
export function loadedReading(outcome: Outcome, loaded: Loaded, page: Page | undefined): RawReading {
  const members = loaded.members ?? [];
  return {
    outcome,
    version: loaded.version,
    changedAtMs: loaded.changedAtMs,
    ageMs: 0,
    value: loaded.value,
    members: page ? members.slice(page.first, page.last < 0 ? undefined : page.last + 1) : [],
    count: members.length,
  };
}
