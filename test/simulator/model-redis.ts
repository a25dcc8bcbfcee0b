// A Redis master as the engine's scripts see it: the operations of `Store`, each at once and whole.
import {
  type DropItem,
  type EntryFacts,
  FENCE_GRACE_MS,
  type FenceItem,
  type FillItem,
  fenceOf,
  type Guard,
  type Guarded,
  type GuardedPartition,
  type Hit,
  LEASE_MS,
  type Meta,
  type PatchItem,
  type PublishItem,
  RENEW_AFTER,
  type ReadItem,
  type ReadReply,
  type RenewItem,
  type StandingFence,
  xidOf,
} from '../../src/cache/store.js';
import type { EntryRef } from '../../src/cache/view.js';
import { changedMembers, factsOf, hitOf, stampOf } from './model-entry.js';
import { ModelKeys, nameOf } from './model-keys.js';

type Batch<Item> = GuardedPartition & { readonly items: readonly Item[] };

export class ModelRedis extends ModelKeys {
  read(batches: readonly Batch<ReadItem>[]): Guarded<ReadReply>[] {
    return this.#each(batches, (item, where) => {
      const now = this.nowMs();
      const entry = this.find(item, where);
      const hit = entry && hitOf(entry, item, this.nowMs());
      if (entry && hit && entry.fences.length === 0) {
        const { stamp, ageMs, ttlMs } = hit;
        return stamp === item.known ? { kind: 'same', ageMs, ttlMs } : hit;
      }
      const young = entry?.fences.some(({ atMs }) => atMs > now - FENCE_GRACE_MS) ?? false;
      const taken = entry?.token !== undefined && entry.token.expiresAtMs > now;
      if (young || (taken && entry.fences.length > 0)) return { kind: 'fenced' };
      if (taken) return { kind: 'busy' };
      const token = { token: this.granted(item.secret), expiresAtMs: now + LEASE_MS };
      const before = entry ?? this.fresh(item, where, now + 2 * LEASE_MS);
      this.keep(where, { ...before, token });
      return { kind: 'lease', token: token.token, xids: before.fences.map(({ name }) => xidOf(name)) };
    });
  }

  standing(batches: readonly Batch<EntryRef>[]): Guarded<string | undefined>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.find(item, where);
      return entry?.fences.length === 0 ? stampOf(entry) : undefined;
    });
  }

  renew(batches: readonly Batch<RenewItem>[]): Guarded<string | undefined>[] {
    return this.#each(batches, (item, where) => {
      const now = this.nowMs();
      const entry = this.find(item, where);
      const hit = entry && hitOf(entry, item, this.nowMs());
      const taken = entry?.token !== undefined && entry.token.expiresAtMs > now;
      if (!hit || entry.fences.length > 0 || taken || hit.ageMs < hit.ttlMs * RENEW_AFTER) return undefined;
      const token = this.granted(item.secret);
      this.keep(where, { ...entry, token: { token, expiresAtMs: now + LEASE_MS } });
      return token;
    });
  }

  fill(batches: readonly Batch<FillItem>[]): Guarded<string | undefined>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.find(item, where);
      return entry?.token?.token === item.token ? stampOf(this.put(item, where, entry)) : undefined;
    });
  }

  fence(batches: readonly Batch<FenceItem>[], xid: string, secret: string): Guarded<string>[] {
    return this.#each(batches, (item, where) => {
      const now = this.nowMs();
      const token = this.granted(secret);
      const entry = this.find(item, where) ?? this.fresh(item, where, 0);
      this.keep(where, {
        ...entry,
        fences: [...entry.fences, { name: fenceOf(xid, token), atMs: now }],
        token: { token, expiresAtMs: now + FENCE_GRACE_MS },
        expiresAtMs: Number.POSITIVE_INFINITY,
      });
      return token;
    });
  }

  publish(batches: readonly Batch<PublishItem>[]): Guarded<'published' | 'dropped'>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.find(item, where);
      if (entry?.token?.token !== item.token) return this.release(item, where);
      this.put(item, where, entry);
      return 'published';
    });
  }

  patch(batches: readonly Batch<PatchItem>[]): Guarded<'published' | 'dropped'>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.find(item, where);
      const held = entry?.token?.token === item.token ? entry.held : undefined;
      if (!entry || held?.value.version !== item.from || !held.texts.has(item.field)) return this.release(item, where);
      const { version, changedAtMs, ttlMs } = item;
      const members = changedMembers(held.value, item);
      if (!members) return this.release(item, where);
      const now = this.nowMs();
      const value = { ...held.value, version, changedAtMs, ttlMs, members };
      this.keep(where, { ...this.fresh(item, where, now + ttlMs), held: { ...held, value, storedAtMs: now } });
      return 'published';
    });
  }

  drop(batches: readonly Batch<DropItem>[]): Guarded<'dropped'>[] {
    return this.#each(batches, (item, where) => this.release(item, where));
  }

  meta(partitions: readonly number[]): Meta[] {
    return partitions.map((partition) => ({ incarnation: this.incarnation, stored: this.data.metas.get(partition) }));
  }

  begin(partition: number, guard: Guard, cursor: string): boolean {
    const meta = this.data.metas.get(partition);
    if (guard.incarnation !== this.incarnation) return false;
    if (meta?.incarnation === guard.incarnation && BigInt(meta.epoch) >= BigInt(guard.epoch)) return false;
    this.data.metas.set(partition, { ...guard, cursor });
    return true;
  }

  advance(batches: readonly (GuardedPartition & { readonly from: string; readonly to: string })[]): boolean[] {
    return batches.map((batch) => {
      const meta = this.data.metas.get(batch.partition);
      if (!meta || !this.holds(batch) || meta.cursor !== batch.from) return false;
      this.data.metas.set(batch.partition, { ...meta, cursor: batch.to });
      return true;
    });
  }

  standingFences(where: GuardedPartition, olderThanMs: number): StandingFence[] {
    if (!this.holds(where)) return [];
    const before = this.nowMs() - olderThanMs;
    return [...this.at(where.partition).values()]
      .filter(({ generation, fences }) => generation === where.guard.generation && fences.length > 0)
      .filter(({ fences }) => fences.every(({ atMs }) => atMs <= before))
      .map(({ view, key, fences }) => ({ view, key, fences: fences.map(({ name }) => name) }));
  }

  peek(partition: number, item: Omit<ReadItem, 'secret'>): Hit | undefined {
    const entry = this.at(partition).get(nameOf(item));
    return entry && entry.expiresAtMs > this.nowMs() ? hitOf(entry, item, this.nowMs()) : undefined;
  }

  inspect(where: GuardedPartition, view: string, key: string, field: string): EntryFacts {
    const entry = this.holds(where) ? this.find({ view, key }, where) : undefined;
    return factsOf(entry, { view, key, field }, this.nowMs());
  }

  #each<Item, Reply>(
    batches: readonly Batch<Item>[],
    operation: (item: Item, where: GuardedPartition) => Reply,
  ): Guarded<Reply>[] {
    return batches.map((batch) =>
      this.holds(batch)
        ? { kind: 'done', replies: batch.items.map((item) => operation(item, batch)) }
        : { kind: 'mismatch' },
    );
  }
}
