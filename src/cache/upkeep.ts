// Entries by the batch, without a reader who waits: dropped, filled where they are missing, or loaded anew while they
// stand. All of it goes by leases like any reader's refill, so that a write in between wins and nothing older comes back.
import { randomBytes } from 'node:crypto';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import { partitionOf } from './partition.js';
import type { Lease, Refill } from './refill.js';
import type { Guarded, GuardedPartition, RenewItem, Store } from './store.js';
import type { Trust } from './trust.js';
import { type AnyView, type EntryRef, fieldOf, type Shape } from './view.js';

/** Above every version: removes whatever stands. */
const ANY_VERSION = '9'.repeat(19);
/** No transaction has this id, so that a drop with it lifts nobody's fence. */
const NO_XID = '0';

/** Readers queue behind each call, and its reply is due within the store's time-out. */
const KEYS_PER_CALL = 100;
/** A fill whose reply came too late is found standing by the second look. */
const LOOKS = 2;

/** What one script, one statement and one process can hold: a set may have fifty thousand members. */
const KEYS_PER_BATCH: Readonly<Record<Shape, number>> = { text: 500, list: 100, hash: 20, set: 5 };

export interface UpkeepOptions<Source> {
  readonly store: Store;
  readonly trust: Pick<Trust, 'requireGuard' | 'believed'>;
  readonly refill: Refill<Source>;
  readonly partitions: number;
  readonly events: Events;
}

interface Answer<Item, Reply> extends GuardedPartition {
  readonly item: Item;
  readonly reply: Reply;
}

type Send<Item, Reply> = (
  batches: readonly (GuardedPartition & { readonly items: readonly Item[] })[],
) => Promise<Guarded<Reply>[]>;

/** At most this many keys of the view are filled by one statement. */
export const keysPerBatch = (view: { readonly shape: Shape }): number => KEYS_PER_BATCH[view.shape];

/** Every method rejects with `CacheUnavailable` when the store cannot confirm, and with what the database threw. */
export class Upkeep<Source> {
  readonly #options: UpkeepOptions<Source>;

  constructor(options: UpkeepOptions<Source>) {
    this.#options = options;
  }

  /** Drops what stands under `keys`, and takes every lease on them away. */
  async purge(view: AnyView<Source>, keys: readonly string[]): Promise<void> {
    const { store, events } = this.#options;
    const items = keys.map((key) => ({ view: view.name, key, version: ANY_VERSION, xid: NO_XID }));
    await this.#send(items, (batches) => store.drop(batches));
    for (const key of keys) events.emit({ kind: 'dropped', view: view.name, key });
  }

  /** Fills what does not stand. Resolves to how many of `keys` stand then; others are being written or filled. */
  async warm(view: AnyView<Source>, keys: readonly string[]): Promise<number> {
    let standing = 0;
    for (const batch of inBatches(keys, keysPerBatch(view))) standing += await this.#warm(view, batch);
    return standing;
  }

  /** Loads `keys` whatever stands. Resolves to how many of them stand then; others are being written or filled. */
  async reload(view: AnyView<Source>, keys: readonly string[]): Promise<number> {
    let standing = 0;
    for (const batch of inBatches(keys, keysPerBatch(view))) {
      await this.purge(view, batch);
      standing += await this.#warm(view, batch);
    }
    return standing;
  }

  /** Loads anew those of `keys`, one batch at most, that stand near the end of their life and that nobody else renews. */
  async renew(view: AnyView<Source>, keys: readonly string[]): Promise<void> {
    const answers = await this.#send(leasable(view, keys), (batches) => this.#options.store.renew(batches));
    const granted = answers.flatMap(({ item, reply, guard }) =>
      reply === undefined ? [] : [{ key: item.key, lease: { token: reply, xids: [], guard } }],
    );
    if (granted.length === 0) return;
    this.#options.events.emit({ kind: 'renewing', view: view.name, keys: granted.map(({ key }) => key) });
    await this.#fill(view, granted);
  }

  async #warm(view: AnyView<Source>, keys: readonly string[]): Promise<number> {
    let left = keys;
    for (let look = 1; look <= LOOKS && left.length > 0; look++) {
      const answers = await this.#send(leasable(view, left), (batches) => this.#options.store.read(batches));
      const granted = answers.flatMap(({ item, reply, guard }) =>
        reply.kind === 'lease' ? [{ key: item.key, lease: { token: reply.token, xids: reply.xids, guard } }] : [],
      );
      const filled = await this.#fill(view, granted);
      const standing = new Set(answers.flatMap(({ item, reply }) => (reply.kind === 'hit' ? [item.key] : [])));
      left = left.filter((key) => !standing.has(key) && !filled.has(key));
    }
    return keys.length - left.length;
  }

  /** One statement; resolves to the keys that the store took. */
  async #fill(view: AnyView<Source>, granted: readonly { key: string; lease: Lease }[]): Promise<ReadonlySet<string>> {
    const { refill } = this.#options;
    const fills = granted.map(({ key, lease }) => refill.fill(view, key, lease));
    await Promise.all(fills.map(({ loaded }) => loaded));
    const taken = await Promise.all(fills.map(({ filled }) => filled));
    return new Set(granted.flatMap(({ key }, at) => (taken[at] ? [key] : [])));
  }

  async #send<Item extends EntryRef, Reply>(
    items: readonly Item[],
    send: Send<Item, Reply>,
  ): Promise<Answer<Item, Reply>[]> {
    const answers: Answer<Item, Reply>[] = [];
    for (const some of inBatches(items, KEYS_PER_CALL)) answers.push(...(await this.#call(some, send)));
    return answers;
  }

  async #call<Item extends EntryRef, Reply>(
    items: readonly Item[],
    send: Send<Item, Reply>,
  ): Promise<Answer<Item, Reply>[]> {
    const { trust, partitions } = this.#options;
    const batches = new Map<number, GuardedPartition & { items: Item[] }>();
    for (const item of items) {
      const partition = partitionOf(item.view, item.key, partitions);
      const batch = batches.get(partition) ?? { partition, guard: trust.requireGuard(partition), items: [] };
      batches.set(partition, batch);
      batch.items.push(item);
    }
    const sent = [...batches.values()];
    const replies = await send(sent);
    const believed = trust.believed(sent, replies);
    if (believed.includes(undefined)) {
      const failure = replies.find((reply) => reply.kind === 'unavailable');
      throw failure?.error ?? new CacheUnavailable('The cache is moving to another store; try again.', 'untrusted');
    }
    return sent.flatMap(({ partition, guard, items }, at) =>
      (believed[at] ?? []).flatMap((reply, index) => {
        const item = items[index];
        return item ? [{ partition, guard, item, reply }] : [];
      }),
    );
  }
}

function inBatches<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function leasable(view: AnyView<never>, keys: readonly string[]): RenewItem[] {
  const secret = randomBytes(16).toString('base64url');
  return keys.map((key, at) => ({ view: view.name, key, field: fieldOf(view), secret: `${secret}${at}` }));
}
