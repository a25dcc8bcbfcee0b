// A Redis master as the engine's scripts see it: the operations of `Store`, each at once and whole, on values that never
// change in place, so that a replica, a dump or a promotion costs no more than a copy of the maps.
import {
  type DropItem,
  type EntryFacts,
  FENCE_GRACE_MS,
  type FenceItem,
  type FillItem,
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
  type StoredValue,
} from '../../src/cache/store.js';
import { changedMembers, type Data, factsOf, hitOf, type ModelEntry } from './model-entry.js';

type Batch<Item> = GuardedPartition & { readonly items: readonly Item[] };

const nameOf = ({ view, key }: { view: string; key: string }) => `${view}:${key}`;

export class ModelRedis {
  readonly incarnation: string;
  readonly data: Data;
  readonly #nowMs: () => number;

  constructor(incarnation: string, nowMs: () => number, data: Data = { metas: new Map(), entries: new Map() }) {
    this.incarnation = incarnation;
    this.data = data;
    this.#nowMs = nowMs;
  }

  /** What a replica or a dump has of it. */
  copy(): Data {
    return {
      metas: new Map(this.data.metas),
      entries: new Map([...this.data.entries].map(([partition, entries]) => [partition, new Map(entries)])),
    };
  }

  flushAll(): void {
    this.data.metas.clear();
    this.data.entries.clear();
  }

  /** Takes an entry for want of memory, unless a fence keeps it. */
  evict(partition: number, entry: { view: string; key: string }): void {
    if (this.#at(partition).get(nameOf(entry))?.fences.length === 0) this.#at(partition).delete(nameOf(entry));
  }

  /** The version that readers of the partition's generation hit; undefined where there is none. */
  standing(partition: number, name: string): string | undefined {
    const entry = this.#at(partition).get(name);
    const meta = this.data.metas.get(partition);
    const ours = meta?.incarnation === this.incarnation && entry?.generation === meta.generation;
    return ours && entry.fences.length === 0 ? entry.held?.value.version : undefined;
  }

  read(batches: readonly Batch<ReadItem>[]): Guarded<ReadReply>[] {
    return this.#each(batches, (item, where) => {
      const now = this.#nowMs();
      const entry = this.#find(item, where);
      const hit = entry && hitOf(entry, item, this.#nowMs());
      if (entry && hit && entry.fences.length === 0) return hit;
      const young = entry?.fences.some(({ atMs }) => atMs > now - FENCE_GRACE_MS) ?? false;
      const taken = entry?.token !== undefined && entry.token.expiresAtMs > now;
      if (young || (taken && entry.fences.length > 0)) return { kind: 'fenced' };
      if (taken) return { kind: 'busy' };
      const token = { token: item.token, expiresAtMs: now + LEASE_MS };
      const before = entry ?? this.#fresh(item, where, now + 2 * LEASE_MS);
      this.#keep(where, { ...before, token });
      return { kind: 'lease', fences: before.fences.map(({ xid }) => xid) };
    });
  }

  renew(batches: readonly Batch<RenewItem>[]): Guarded<'granted' | 'refused'>[] {
    return this.#each(batches, (item, where) => {
      const now = this.#nowMs();
      const entry = this.#find(item, where);
      const hit = entry && hitOf(entry, item, this.#nowMs());
      const taken = entry?.token !== undefined && entry.token.expiresAtMs > now;
      if (!hit || entry.fences.length > 0 || taken || hit.ageMs < hit.ttlMs * RENEW_AFTER) return 'refused';
      this.#keep(where, { ...entry, token: { token: item.token, expiresAtMs: now + LEASE_MS } });
      return 'granted';
    });
  }

  fill(batches: readonly Batch<FillItem>[]): Guarded<'filled' | 'refused'>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.#find(item, where);
      if (entry?.token?.token !== item.token) return 'refused';
      this.#put(item, where, entry);
      return 'filled';
    });
  }

  fence(batches: readonly Batch<FenceItem>[], xid: string, token: string): Guarded<'fenced'>[] {
    return this.#each(batches, (item, where) => {
      const now = this.#nowMs();
      const entry = this.#find(item, where) ?? this.#fresh(item, where, 0);
      this.#keep(where, {
        ...entry,
        fences: [...entry.fences, { xid, atMs: now }],
        token: { token, expiresAtMs: now + FENCE_GRACE_MS },
        expiresAtMs: Number.POSITIVE_INFINITY,
      });
      return 'fenced';
    });
  }

  publish(batches: readonly Batch<PublishItem>[]): Guarded<'published' | 'dropped'>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.#find(item, where);
      if (entry?.token?.token !== item.token) return this.#release(item, where);
      this.#put(item, where, entry);
      return 'published';
    });
  }

  patch(batches: readonly Batch<PatchItem>[]): Guarded<'published' | 'dropped'>[] {
    return this.#each(batches, (item, where) => {
      const entry = this.#find(item, where);
      const held = entry?.token?.token === item.token ? entry.held : undefined;
      if (!entry || held?.value.version !== item.from || !held.texts.has(item.field)) return this.#release(item, where);
      const { version, changedAtMs, ttlMs } = item;
      const members = changedMembers(held.value, item);
      if (!members) return this.#release(item, where);
      const now = this.#nowMs();
      const value = { ...held.value, version, changedAtMs, ttlMs, members };
      this.#keep(where, { ...this.#fresh(item, where, now + ttlMs), held: { ...held, value, storedAtMs: now } });
      return 'published';
    });
  }

  drop(batches: readonly Batch<DropItem>[]): Guarded<'dropped'>[] {
    return this.#each(batches, (item, where) => this.#release(item, where));
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
      if (!meta || !this.#holds(batch) || meta.cursor !== batch.from) return false;
      this.data.metas.set(batch.partition, { ...meta, cursor: batch.to });
      return true;
    });
  }

  standingFences(where: GuardedPartition, olderThanMs: number): StandingFence[] {
    if (!this.#holds(where)) return [];
    const before = this.#nowMs() - olderThanMs;
    return [...this.#at(where.partition).values()]
      .filter(({ generation, fences }) => generation === where.guard.generation && fences.length > 0)
      .filter(({ fences }) => fences.every(({ atMs }) => atMs <= before))
      .map(({ view, key, fences }) => ({ view, key, xids: fences.map(({ xid }) => xid) }));
  }

  peek(partition: number, item: Omit<ReadItem, 'token'>): Hit | undefined {
    const entry = this.#at(partition).get(nameOf(item));
    return entry && entry.expiresAtMs > this.#nowMs() ? hitOf(entry, item, this.#nowMs()) : undefined;
  }

  inspect(where: GuardedPartition, view: string, key: string, field: string): EntryFacts {
    const entry = this.#holds(where) ? this.#find({ view, key }, where) : undefined;
    return factsOf(entry, { view, key, field }, this.#nowMs());
  }

  #each<Item, Reply>(
    batches: readonly Batch<Item>[],
    operation: (item: Item, where: GuardedPartition) => Reply,
  ): Guarded<Reply>[] {
    return batches.map((batch) =>
      this.#holds(batch)
        ? { kind: 'done', replies: batch.items.map((item) => operation(item, batch)) }
        : { kind: 'mismatch' },
    );
  }

  #holds({ partition, guard }: GuardedPartition): boolean {
    const meta = this.data.metas.get(partition);
    return (
      meta !== undefined &&
      this.incarnation === guard.incarnation &&
      meta.incarnation === guard.incarnation &&
      meta.epoch === guard.epoch &&
      meta.generation === guard.generation
    );
  }

  #at(partition: number): Map<string, ModelEntry> {
    let entries = this.data.entries.get(partition);
    if (!entries) {
      entries = new Map();
      this.data.entries.set(partition, entries);
    }
    return entries;
  }

  #find(item: { view: string; key: string }, { partition, guard }: GuardedPartition): ModelEntry | undefined {
    const entry = this.#at(partition).get(nameOf(item));
    if (!entry) return undefined;
    if (entry.generation === guard.generation && entry.expiresAtMs > this.#nowMs()) return entry;
    this.#at(partition).delete(nameOf(item));
    return undefined;
  }

  #keep({ partition }: GuardedPartition, entry: ModelEntry): void {
    this.#at(partition).set(nameOf(entry), entry);
  }

  #fresh(item: { view: string; key: string }, { guard }: GuardedPartition, expiresAtMs: number): ModelEntry {
    const { view, key } = item;
    return { view, key, generation: guard.generation, held: undefined, token: undefined, fences: [], expiresAtMs };
  }

  #put(item: StoredValue, where: GuardedPartition, before: ModelEntry): void {
    const now = this.#nowMs();
    const beside = item.members === null && item.value !== null && before.held?.value.version === item.version;
    const texts = new Map(beside ? before.held?.texts : []);
    if (item.value !== null) texts.set(item.field, item.value);
    const held = { value: item, texts, storedAtMs: now };
    this.#keep(where, { ...this.#fresh(item, where, now + item.ttlMs), held });
  }

  #release(item: DropItem, where: GuardedPartition): 'dropped' {
    const entry = this.#find(item, where);
    if (!entry) return 'dropped';
    const fences = entry.fences.filter(({ xid }) => xid !== item.xid);
    const older = !entry.held || BigInt(entry.held.value.version) < BigInt(item.version);
    const held = older ? undefined : entry.held;
    const token = older ? undefined : entry.token;
    if (!held && fences.length === 0) {
      this.#at(where.partition).delete(nameOf(item));
      return 'dropped';
    }
    const unfenced = held && entry.fences.length > 0 && fences.length === 0;
    const expiresAtMs = unfenced ? this.#nowMs() + held.value.ttlMs : entry.expiresAtMs;
    this.#keep(where, { ...entry, held, token, fences, expiresAtMs });
    return 'dropped';
  }
}
