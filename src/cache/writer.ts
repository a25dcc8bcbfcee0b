// The write path's half of the pledge: entries are fenced before COMMIT, and published or dropped after it, each step
// confirmed by the store. Who acknowledges only after `settle` has resolved to true has made the write visible.
import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { CacheEvent, Events } from './events.js';
import type { MemberChange } from './part.js';
import { partitionOf } from './partition.js';
import type { Guard, Guarded, PatchItem, Store, StoredValue } from './store.js';
import type { Trust } from './trust.js';
import type { EntryRef } from './view.js';

/** How long an acknowledgement waits for a store that has lost its trust after COMMIT. */
const SETTLE_MS = 1_000;

/** The fences of one transaction. */
export interface Fenced {
  readonly xid: string;
  readonly token: string;
  readonly entries: readonly EntryRef[];
}

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
   * Hides `entries` until transaction `xid` has ended and its outcome is known to the store.
   * @throws {CacheUnavailable} when not every partition confirmed; what was fenced is lifted again.
   */
  async fence(entries: readonly EntryRef[], xid: string): Promise<Fenced> {
    const { store, trust } = this.#options;
    const fenced: Fenced = { xid, token: randomBytes(16).toString('base64url'), entries };
    if (entries.length === 0) return fenced;
    const batches = this.#batched(entries, (partition) => trust.requireGuard(partition));
    try {
      const replies = await store.fence(batches, xid, fenced.token);
      trust.succeeded();
      const lost = this.#mismatched(batches, replies);
      if (lost.length > 0) throw new CacheUnavailable('The cache began a new generation; try again.', 'untrusted');
      for (const entry of entries) this.#emit('fence', entry);
      return fenced;
    } catch (error) {
      trust.failed(error);
      void this.lift(fenced);
      throw error;
    }
  }

  /** Takes the fences of a transaction that did not commit away again. Best effort: a reader or the sweep ends what stays. */
  async lift({ xid, entries }: Fenced): Promise<void> {
    await this.#drop(entries.map((entry) => ({ ...entry, version: '0', xid })));
    for (const entry of entries) this.#emit('lifted', entry);
  }

  /**
   * Makes a committed transaction visible: publishes values while its write token stands, else drops what is older.
   * Resolves to whether every partition confirmed, under whatever guard is in force by then.
   */
  async settle({ xid, token }: Pick<Fenced, 'xid' | 'token'>, committed: readonly Committed[]): Promise<boolean> {
    const { clock } = this.#options;
    const deadlineMs = clock.nowMs() + SETTLE_MS;
    const values = committed.flatMap(({ stored }) => (stored ? [{ ...stored, xid, token }] : []));
    const deltas = committed.flatMap(({ delta }) => (delta ? [{ ...delta, xid, token }] : []));
    const bare = committed.filter(({ stored, delta }) => !stored && !delta).map((entry) => ({ ...entry, xid }));
    let left: readonly (EntryRef & { version: string; xid: string })[] = [
      ...(await this.#publish(values, (batches) => this.#options.store.publish(batches))),
      ...(await this.#publish(deltas, (batches) => this.#options.store.patch(batches))),
      ...bare,
    ];
    while (left.length > 0) {
      left = await this.#drop(left);
      if (left.length === 0) break;
      const waitMs = deadlineMs - clock.nowMs();
      if (waitMs <= 0) return false;
      await Promise.race([this.#options.trust.learn(), clock.sleep(waitMs)]);
    }
    return true;
  }

  /** What the store did not confirm. */
  async #publish<Item extends EntryRef>(
    items: readonly Item[],
    send: (batches: readonly Batch<Item>[]) => Promise<readonly Guarded<'published' | 'dropped'>[]>,
  ): Promise<readonly Item[]> {
    const { trust } = this.#options;
    if (items.length === 0) return [];
    const batches = this.#batched(items, (partition) => trust.guardOf(partition));
    const sent = new Set(batches.flatMap(({ items }) => items));
    const unsent = items.filter((item) => !sent.has(item));
    try {
      const replies = await send(batches);
      trust.succeeded();
      batches.forEach(({ items }, at) => {
        const reply = replies[at];
        if (reply?.kind === 'done') items.forEach((item, index) => this.#emit(reply.replies[index] ?? 'dropped', item));
      });
      return [...unsent, ...this.#mismatched(batches, replies)];
    } catch (error) {
      trust.failed(error);
      return items;
    }
  }

  /** What the store did not confirm. */
  async #drop<Item extends EntryRef & { version: string; xid: string }>(
    items: readonly Item[],
  ): Promise<readonly Item[]> {
    const { store, trust } = this.#options;
    const batches = this.#batched(items, (partition) => trust.guardOf(partition));
    const sent = new Set(batches.flatMap(({ items }) => items));
    const unsent = items.filter((item) => !sent.has(item));
    if (sent.size === 0) return unsent;
    try {
      const replies = await store.drop(batches);
      trust.succeeded();
      return [...unsent, ...this.#mismatched(batches, replies)];
    } catch (error) {
      trust.failed(error);
      return items;
    }
  }

  #mismatched<Item>(batches: readonly Batch<Item>[], replies: readonly Guarded<unknown>[]): Item[] {
    const lost = batches.filter((_, at) => replies[at]?.kind !== 'done');
    if (lost.length > 0) {
      this.#options.trust.distrust(
        lost.map(({ partition }) => partition),
        'A write met another generation.',
      );
    }
    return lost.flatMap(({ items }) => items);
  }

  #batched<Item extends EntryRef>(
    items: readonly Item[],
    guardOf: (partition: number) => Guard | undefined,
  ): Batch<Item>[] {
    const batches = new Map<number, Batch<Item>>();
    for (const item of items) {
      const partition = partitionOf(item.view, item.key, this.#options.partitions);
      const guard = batches.get(partition)?.guard ?? guardOf(partition);
      if (!guard) continue;
      const batch = batches.get(partition) ?? { partition, guard, items: [] };
      batches.set(partition, batch);
      batch.items.push(item);
    }
    return [...batches.values()];
  }

  #emit(kind: 'fence' | 'published' | 'dropped' | 'lifted', { view, key }: EntryRef): void {
    const event: CacheEvent = { kind, view, key };
    this.#options.events.emit(event);
  }
}
