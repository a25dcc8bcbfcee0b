// What a Redis master of the model holds, under which life of it, and what the scripts share in handling it. Values never
// change in place, so that a replica, a dump or a promotion costs no more than a copy of the maps.
import { type DropItem, type GuardedPartition, type StoredValue, xidOf } from '../../src/cache/store.js';
import type { Data, ModelEntry } from './model-entry.js';

export const nameOf = ({ view, key }: { view: string; key: string }) => `${view}:${key}`;

export class ModelKeys {
  readonly incarnation: string;
  readonly data: Data;
  readonly nowMs: () => number;
  #drawn: number;

  constructor(incarnation: string, nowMs: () => number, data: Data = { metas: new Map(), entries: new Map() }) {
    this.incarnation = incarnation;
    this.data = data;
    this.nowMs = nowMs;
    this.#drawn = Math.floor(nowMs() * 1_000);
  }

  /** A token that no other one equals. One count for all partitions is as good as one for each. */
  granted(secret: string): string {
    return `${secret}.${++this.#drawn}`;
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
    if (this.at(partition).get(nameOf(entry))?.fences.length === 0) this.at(partition).delete(nameOf(entry));
  }

  /** The version that readers of the partition's generation hit; undefined where there is none. */
  versionAt(partition: number, name: string): string | undefined {
    const entry = this.at(partition).get(name);
    const meta = this.data.metas.get(partition);
    const ours = meta?.incarnation === this.incarnation && entry?.generation === meta.generation;
    return ours && entry.fences.length === 0 ? entry.held?.value.version : undefined;
  }

  /** Whether this master, in this life, holds the partition as the guard says. */
  holds({ partition, guard }: GuardedPartition): boolean {
    const meta = this.data.metas.get(partition);
    return (
      meta !== undefined &&
      this.incarnation === guard.incarnation &&
      meta.incarnation === guard.incarnation &&
      meta.epoch === guard.epoch &&
      meta.generation === guard.generation
    );
  }

  /** The entries of a partition, whatever their generation. */
  at(partition: number): Map<string, ModelEntry> {
    let entries = this.data.entries.get(partition);
    if (!entries) {
      entries = new Map();
      this.data.entries.set(partition, entries);
    }
    return entries;
  }

  /** The entry of this generation; what is left of another one goes. */
  find(item: { view: string; key: string }, { partition, guard }: GuardedPartition): ModelEntry | undefined {
    const entry = this.at(partition).get(nameOf(item));
    if (!entry) return undefined;
    if (entry.generation === guard.generation && entry.expiresAtMs > this.nowMs()) return entry;
    this.at(partition).delete(nameOf(item));
    return undefined;
  }

  keep({ partition }: GuardedPartition, entry: ModelEntry): void {
    this.at(partition).set(nameOf(entry), entry);
  }

  /** An entry that holds nothing. */
  fresh(item: { view: string; key: string }, { guard }: GuardedPartition, expiresAtMs: number): ModelEntry {
    const { view, key } = item;
    return { view, key, generation: guard.generation, held: undefined, token: undefined, fences: [], expiresAtMs };
  }

  /** Stores a value, which ends every fence and the token; gives what stands then. */
  put(item: StoredValue, where: GuardedPartition, before: ModelEntry): ModelEntry {
    const now = this.nowMs();
    const beside = item.members === null && item.value !== null && before.held?.value.version === item.version;
    const texts = new Map(beside ? before.held?.texts : []);
    if (item.value !== null) texts.set(item.field, item.value);
    const held = { value: item, texts, storedAtMs: now };
    const entry = { ...this.fresh(item, where, now + item.ttlMs), held };
    this.keep(where, entry);
    return entry;
  }

  /** Ends a transaction's fences, or one fence, and a lease that is given back; with what is older than the version, any token. */
  release(item: DropItem, where: GuardedPartition): 'dropped' {
    const entry = this.find(item, where);
    if (!entry) return 'dropped';
    const fences = entry.fences.filter(({ name }) => name !== item.xid && xidOf(name) !== item.xid);
    const older = !entry.held || BigInt(entry.held.value.version) < BigInt(item.version);
    const held = older ? undefined : entry.held;
    const token = older ? undefined : entry.token;
    if (!held && fences.length === 0) {
      this.at(where.partition).delete(nameOf(item));
      return 'dropped';
    }
    const unfenced = held && entry.fences.length > 0 && fences.length === 0;
    const expiresAtMs = unfenced ? this.nowMs() + held.value.ttlMs : entry.expiresAtMs;
    const left = token?.token === item.lease ? undefined : token;
    this.keep(where, { ...entry, held, token: left, fences, expiresAtMs });
    return 'dropped';
  }
}
