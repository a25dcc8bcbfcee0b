// The write path's half of the pledge: entries are fenced before COMMIT, and published or dropped after it, each step
// confirmed by the store. Who acknowledges only after `settle` has resolved to true has made the write visible.
import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { CacheEvent, Events } from './events.js';
import type { MemberChange } from './part.js';
import { partitionOf } from './partition.js';
import type { Closed } from './ports.js';
import { fenceOf, type Guard, type Guarded, type PatchItem, type Store, type StoredValue } from './store.js';
import type { Trust } from './trust.js';
import type { EntryRef } from './view.js';

/** How long a confirmation is tried for after COMMIT, before the partitions are closed instead. */
const SETTLE_MS = 1_000;
const SETTLE_RETRY_MS = 20;

interface FencedEntry extends EntryRef {
  readonly token: string | undefined;
}

/** What one transaction did about the entries that it changes. */
export interface Fenced {
  readonly xid: string;
  /** What was fenced, each with its write token where the store has confirmed it. */
  readonly entries: readonly FencedEntry[];
  /** Epochs that it closed, because their partitions could not be fenced. */
  readonly closed: readonly Closed[];
}

/**
 * Closes partitions in the writing transaction, so that nobody trusts them again before it has ended. Resolves to the
 * epochs that are closed then, or to undefined where another gateway still trusts the store.
 */
export type CloseInTransaction = (partitions: readonly number[]) => Promise<readonly Closed[] | undefined>;

/** A change of single members of an entry, as its transaction made it. */
export type Delta = EntryRef &
  MemberChange & {
    /** Fields or members in the whole, afterwards. */
    readonly count: number;
  };

/** A committed entry: its new value, a change of single members, or only its version where neither is published. */
export type Committed = EntryRef & {
  readonly version: string;
  readonly stored?: StoredValue;
  readonly delta?: Omit<PatchItem, 'token' | 'xid'>;
};

export interface WriterOptions {
  readonly store: Store;
  readonly trust: Trust;
  readonly partitions: number;
  readonly clock: Clock;
  readonly events: Events;
}

interface Batch<Item> {
  readonly partition: number;
  readonly guard: Guard;
  readonly items: Item[];
}

export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Hides `entries` until transaction `xid` has ended and its outcome is known to the store. Where this gateway does not
   * trust the store, and no other does, the transaction closes the partition instead: a degraded write.
   * @throws {CacheUnavailable} when a fence was not confirmed, or others trust a store that this gateway does not reach;
   * what was fenced is lifted again.
   */
  async fence(entries: readonly EntryRef[], xid: string, close: CloseInTransaction): Promise<Fenced> {
    const { store, trust } = this.#options;
    const batches = this.#batched(entries, (partition) => trust.guardOf(partition));
    const guarded = new Set(batches.map(({ partition }) => partition));
    const unreached = new Set(entries.map((entry) => this.#partitionOf(entry)).filter((each) => !guarded.has(each)));
    const closed = unreached.size > 0 ? await close([...unreached]) : [];
    if (!closed)
      throw new CacheUnavailable('This gateway does not trust the cache at the moment; try again.', 'untrusted');
    if (batches.length === 0) return { xid, entries: [], closed };
    const replies = await store.fence(batches, xid, randomBytes(16).toString('base64url'));
    const fenced: Fenced = {
      xid,
      entries: batches.flatMap(({ items }, at) => fencedEntries(items, replies[at])),
      closed,
    };
    if (trust.believed(batches, replies).includes(undefined)) {
      void this.lift(fenced);
      const failure = replies.find((reply) => reply.kind === 'unavailable');
      throw failure?.error ?? new CacheUnavailable('The cache is moving to another store; try again.', 'untrusted');
    }
    for (const entry of fenced.entries) this.#emit('fence', entry);
    return fenced;
  }

  /** Takes the fences of a transaction that did not commit away again. Best effort: a reader or the sweep ends what stays. */
  async lift({ xid, entries }: Fenced): Promise<void> {
    if (entries.length === 0) return;
    await this.#drop(
      entries.map(({ view, key, token }) => {
        return { view, key, version: '0', xid: token === undefined ? xid : fenceOf(xid, token) };
      }),
    );
    for (const entry of entries) this.#emit('lifted', entry);
  }

  /**
   * Makes a committed transaction visible: publishes values while its write token stands, else drops what is older. Resolves
   * to true once every partition has confirmed, under whatever guard is in force by then, or nobody trusts it as it was.
   */
  async settle({ xid, entries, closed }: Fenced, committed: readonly Committed[]): Promise<boolean> {
    const { trust, clock } = this.#options;
    const deadlineMs = clock.nowMs() + SETTLE_MS;
    const open = committed.filter((entry) => !closed.some(({ partition }) => partition === this.#partitionOf(entry)));
    const tokens = new Map(entries.map((entry) => [nameOf(entry), entry.token]));
    const withToken = <Item extends EntryRef>(item: Item) => ({ ...item, xid, token: tokens.get(nameOf(item)) ?? '' });
    const values = open.flatMap(({ stored }) => (stored ? [withToken(stored)] : []));
    const deltas = open.flatMap(({ delta }) => (delta ? [withToken(delta)] : []));
    const bare = open.filter(({ stored, delta }) => !stored && !delta).map((entry) => ({ ...entry, xid }));
    let left: readonly (EntryRef & { version: string; xid: string })[] = [
      ...(await this.#publish(values, (batches) => this.#options.store.publish(batches))),
      ...(await this.#publish(deltas, (batches) => this.#options.store.patch(batches))),
      ...bare,
    ];
    while (left.length > 0) {
      left = await this.#drop(left);
      const waitMs = deadlineMs - clock.nowMs();
      if (left.length === 0 || waitMs <= 0) break;
      void trust.learn();
      await clock.sleep(Math.min(waitMs, SETTLE_RETRY_MS));
    }
    if (left.length === 0) return closed.length === 0 || trust.quiet(closed);
    return this.#close([...new Set(left.map((entry) => this.#partitionOf(entry)))], closed);
  }

  /** What cannot be confirmed is closed: then nobody believes what stands there before it has caught up. */
  async #close(partitions: readonly number[], closed: readonly Closed[]): Promise<boolean> {
    const { trust, events } = this.#options;
    try {
      return await trust.quiet([...closed, ...(await trust.shut(partitions))]);
    } catch (error) {
      events.emit({ kind: 'failing', part: 'trust', error });
      return false;
    }
  }

  /** What the store did not confirm. */
  async #publish<Item extends EntryRef>(
    items: readonly Item[],
    send: (batches: readonly Batch<Item>[]) => Promise<readonly Guarded<'published' | 'dropped'>[]>,
  ): Promise<readonly Item[]> {
    return this.#confirmed(items, send, (item, reply) => this.#emit(reply, item));
  }

  /** What the store did not confirm. */
  async #drop<Item extends EntryRef & { version: string; xid: string }>(
    items: readonly Item[],
  ): Promise<readonly Item[]> {
    return this.#confirmed(items, (batches) => this.#options.store.drop(batches));
  }

  /** The items that no trusted master has confirmed. */
  async #confirmed<Item extends EntryRef, Reply>(
    items: readonly Item[],
    send: (batches: readonly Batch<Item>[]) => Promise<readonly Guarded<Reply>[]>,
    told: (item: Item, reply: Reply) => void = () => {},
  ): Promise<readonly Item[]> {
    const { trust } = this.#options;
    const batches = this.#batched(items, (partition) => trust.guardOf(partition));
    if (batches.length === 0) return items;
    const believed = trust.believed(batches, await send(batches));
    const confirmed = new Set<Item>();
    batches.forEach(({ items }, at) => {
      believed[at]?.forEach((reply, index) => {
        const item = items[index];
        if (!item) return;
        confirmed.add(item);
        told(item, reply);
      });
    });
    return items.filter((item) => !confirmed.has(item));
  }

  #batched<Item extends EntryRef>(
    items: readonly Item[],
    guardOf: (partition: number) => Guard | undefined,
  ): Batch<Item>[] {
    const batches = new Map<number, Batch<Item>>();
    for (const item of items) {
      const partition = this.#partitionOf(item);
      const guard = batches.get(partition)?.guard ?? guardOf(partition);
      if (!guard) continue;
      const batch = batches.get(partition) ?? { partition, guard, items: [] };
      batches.set(partition, batch);
      batch.items.push(item);
    }
    return [...batches.values()];
  }

  #partitionOf({ view, key }: EntryRef): number {
    return partitionOf(view, key, this.#options.partitions);
  }

  #emit(kind: 'fence' | 'published' | 'dropped' | 'lifted', { view, key }: EntryRef): void {
    const event: CacheEvent = { kind, view, key };
    this.#options.events.emit(event);
  }
}

const fencedEntries = (items: readonly EntryRef[], reply: Guarded<string> | undefined): FencedEntry[] =>
  items.map(({ view, key }, at) => ({ view, key, token: reply?.kind === 'done' ? reply.replies[at] : undefined }));

const nameOf = ({ view, key }: EntryRef) => `${view}:${key}`;
