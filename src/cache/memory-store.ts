// Entries in this process: the same operations with the same results as in Redis, for a single gateway. Its one
// incarnation is the process, so a restart begins an empty generation.
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import { bytesOf, type Entry, hitOf, stampOf } from './memory-entry.js';
import { Members } from './part.js';
import {
  type DropItem,
  FENCE_GRACE_MS,
  fenceOf,
  type Guard,
  type Guarded,
  type GuardedPartition,
  LEASE_MS,
  RENEW_AFTER,
  type ReadItem,
  type ReadReply,
  type RenewItem,
  type Store,
  type StoredValue,
  xidOf,
} from './store.js';
import type { EntryRef } from './view.js';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Bound of all values together; fenced entries are kept beyond it. */
  readonly maxBytes: number;
}

/** A store that never times out and is lost with the process. */
export function memoryStore({ clock, maxBytes }: MemoryStoreOptions): Store {
  const incarnation = randomUUID().replaceAll('-', '');
  const metas = new Map<number, Guard & { cursor: string }>();
  let drawn = 0;
  const granted = (secret: string) => `${secret}.${++drawn}`;
  const entries = new LRUCache<string, Entry>({ maxSize: maxBytes, sizeCalculation: bytesOf });
  /** Entries with a fence are pinned: neither bound nor TTL may end a fence. */
  const pinned = new Map<string, Entry>();

  const holds = ({ partition, guard }: GuardedPartition) => {
    const meta = metas.get(partition);
    return (
      meta?.incarnation === guard.incarnation && meta.epoch === guard.epoch && meta.generation === guard.generation
    );
  };
  const nameOf = (view: string, key: string) => `${view}:${key}`;
  const find = ({ view, key }: EntryRef, { guard }: GuardedPartition): Entry | undefined => {
    const name = nameOf(view, key);
    const entry = pinned.get(name) ?? entries.get(name);
    if (entry === undefined || (entry.generation === guard.generation && entry.expiresAtMs > clock.nowMs()))
      return entry;
    remove(entry);
    return undefined;
  };
  const keep = (entry: Entry): void => {
    remove(entry);
    (entry.fences.size > 0 ? pinned : entries).set(nameOf(entry.view, entry.key), entry);
  };
  const remove = ({ view, key }: EntryRef): void => {
    pinned.delete(nameOf(view, key));
    entries.delete(nameOf(view, key));
  };
  const fresh = ({ view, key }: EntryRef, { partition, guard }: GuardedPartition, expiresAtMs: number): Entry => ({
    partition,
    view,
    key,
    generation: guard.generation,
    expiresAtMs,
    fences: new Map(),
  });

  const read = (item: ReadItem, where: GuardedPartition): ReadReply => {
    const now = clock.nowMs();
    const entry = find(item, where) ?? fresh(item, where, now + 2 * LEASE_MS);
    const hit = hitOf(entry, item, now);
    if (hit && entry.fences.size === 0) {
      const { stamp, ageMs, ttlMs } = hit;
      return stamp === item.known ? { kind: 'same', ageMs, ttlMs } : hit;
    }
    const taken = entry.token !== undefined && entry.token.expiresAtMs > now;
    const young = [...entry.fences.values()].some((fencedAtMs) => fencedAtMs > now - FENCE_GRACE_MS);
    if (young || (taken && entry.fences.size > 0)) return { kind: 'fenced' };
    if (taken) return { kind: 'busy' };
    const token = granted(item.secret);
    entry.token = { token, expiresAtMs: now + LEASE_MS };
    keep(entry);
    return { kind: 'lease', token, xids: [...entry.fences.keys()].map(xidOf) };
  };

  const standing = (item: EntryRef, where: GuardedPartition): string | undefined => {
    const entry = find(item, where);
    return entry?.fences.size === 0 ? stampOf(entry) : undefined;
  };

  const renew = (item: RenewItem, where: GuardedPartition): string | undefined => {
    const now = clock.nowMs();
    const entry = find(item, where);
    const hit = entry && hitOf(entry, item, now);
    const taken = entry?.token !== undefined && entry.token.expiresAtMs > now;
    if (!hit || entry.fences.size > 0 || taken || hit.ageMs < hit.ttlMs * RENEW_AFTER) return undefined;
    const token = granted(item.secret);
    entry.token = { token, expiresAtMs: now + LEASE_MS };
    return token;
  };

  const put = (item: StoredValue, where: GuardedPartition, before: Entry): Entry => {
    const now = clock.nowMs();
    const others = item.members === null && item.value !== null && before.held?.value.version === item.version;
    const stored = new Map(others ? before.held?.stored : []);
    if (item.value !== null) stored.set(item.field, item.value);
    const entry = fresh(item, where, now + item.ttlMs);
    const { members, ...value } = item;
    entry.held = { stored, value, members: new Members(item.shape, members ?? []), storedAtMs: now };
    keep(entry);
    return entry;
  };

  const release = (item: DropItem, where: GuardedPartition): void => {
    const entry = find(item, where);
    if (!entry) return;
    const wasFenced = entry.fences.size > 0;
    for (const fence of entry.fences.keys()) if (names(item.xid, fence)) entry.fences.delete(fence);
    if (!entry.held || BigInt(entry.held.value.version) < BigInt(item.version)) {
      delete entry.held;
      delete entry.token;
    }
    if (entry.token?.token === item.lease) delete entry.token;
    if (wasFenced && entry.fences.size === 0 && entry.held) entry.expiresAtMs = clock.nowMs() + entry.held.value.ttlMs;
    if (entry.held || entry.fences.size > 0) keep(entry);
    else remove(entry);
  };

  const each = <Item, Reply>(
    batches: readonly (GuardedPartition & { readonly items: readonly Item[] })[],
    operation: (item: Item, where: GuardedPartition) => Reply,
  ): Guarded<Reply>[] =>
    batches.map((batch) =>
      holds(batch)
        ? { kind: 'done', replies: batch.items.map((item) => operation(item, batch)) }
        : { kind: 'mismatch' },
    );

  return {
    kind: 'memory',
    read: async (batches) => each(batches, read),
    standing: async (batches) => each(batches, standing),
    renew: async (batches) => each(batches, renew),
    fill: async (batches) =>
      each(batches, (item, where) => {
        const entry = find(item, where);
        return entry?.token?.token === item.token ? stampOf(put(item, where, entry)) : undefined;
      }),
    fence: async (batches, xid, secret) =>
      each(batches, (item, where) => {
        const now = clock.nowMs();
        const token = granted(secret);
        const entry = find(item, where) ?? fresh(item, where, 0);
        entry.fences.set(fenceOf(xid, token), now);
        entry.token = { token, expiresAtMs: now + FENCE_GRACE_MS };
        entry.expiresAtMs = Number.POSITIVE_INFINITY;
        keep(entry);
        return token;
      }),
    publish: async (batches) =>
      each(batches, (item, where) => {
        const entry = find(item, where);
        if (entry?.token?.token === item.token) {
          put(item, where, entry);
          return 'published' as const;
        }
        release(item, where);
        return 'dropped' as const;
      }),
    patch: async (batches) =>
      each(batches, (item, where) => {
        const entry = find(item, where);
        const held = entry?.token?.token === item.token ? entry.held : undefined;
        const standing = held?.value.version === item.from && held.stored.has(item.field) ? held : undefined;
        standing?.members.change(item);
        if (!entry || standing?.members.count !== item.count) {
          release(item, where);
          return 'dropped' as const;
        }
        const { version, changedAtMs, ttlMs } = item;
        const changed = fresh(item, where, clock.nowMs() + ttlMs);
        const value = { ...standing.value, version, changedAtMs, ttlMs };
        changed.held = { ...standing, value, storedAtMs: clock.nowMs() };
        keep(changed);
        return 'published' as const;
      }),
    drop: async (batches) =>
      each(batches, (item, where) => {
        release(item, where);
        return 'dropped' as const;
      }),
    meta: async (partitions) =>
      partitions.map((partition) => ({ incarnation, stored: structuredClone(metas.get(partition)) })),
    begin: async (partition, guard, cursor) => {
      const meta = metas.get(partition);
      if (guard.incarnation !== incarnation || (meta && BigInt(meta.epoch) >= BigInt(guard.epoch))) return false;
      metas.set(partition, { ...guard, cursor });
      return true;
    },
    advance: async (batches) =>
      batches.map((batch) => {
        const meta = metas.get(batch.partition);
        if (!meta || !holds(batch) || meta.cursor !== batch.from) return false;
        meta.cursor = batch.to;
        return true;
      }),
    standingFences: async (batch, olderThanMs) => {
      if (!holds(batch)) return [];
      const before = clock.nowMs() - olderThanMs;
      return [...pinned.values()]
        .filter(({ partition }) => partition === batch.partition)
        .filter((entry) => entry.generation === batch.guard.generation && Math.max(...entry.fences.values()) <= before)
        .map(({ view, key, fences }) => ({ view, key, fences: [...fences.keys()] }));
    },
    peek: async (_partition, item) => {
      const name = nameOf(item.view, item.key);
      const entry = pinned.get(name) ?? entries.get(name);
      return entry && entry.expiresAtMs > clock.nowMs() ? hitOf(entry, item, clock.nowMs()) : undefined;
    },
    inspect: async (batch, view, key, field) => {
      const entry = holds(batch) ? find({ view, key }, batch) : undefined;
      const now = clock.nowMs();
      const whole = entry?.held && (entry.held.value.value === null || entry.held.stored.has(field));
      const leased = entry?.token && entry.token.expiresAtMs > now;
      return {
        version: entry?.held?.value.version,
        state: entry && entry.fences.size > 0 ? 'fenced' : whole ? 'fresh' : leased ? 'leased' : 'absent',
        ageMs: entry?.held ? Math.floor(now - entry.held.storedAtMs) : undefined,
        ttlMs: entry && Number.isFinite(entry.expiresAtMs) ? Math.floor(entry.expiresAtMs - now) : undefined,
        bytes: entry ? bytesOf(entry) : 0,
      };
    },
    close: async () => {
      entries.clear();
      pinned.clear();
      metas.clear();
    },
  };
}

/** Whether a drop of `xid`, a transaction or one fence, ends `fence`. */
const names = (xid: string, fence: string): boolean => xid === fence || xid === xidOf(fence);
