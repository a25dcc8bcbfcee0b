// One entry as the in-process store holds it.
import type { Members } from './part.js';
import type { Hit, ReadItem, StoredValue } from './store.js';

export interface Entry {
  readonly partition: number;
  readonly view: string;
  readonly key: string;
  readonly generation: string;
  held?: {
    readonly stored: Map<string, string>;
    readonly value: Omit<StoredValue, 'members'>;
    readonly members: Members;
    readonly storedAtMs: number;
  };
  expiresAtMs: number;
  token?: { readonly token: string; readonly expiresAtMs: number };
  /** When the entry was fenced, by fence. */
  readonly fences: Map<string, number>;
}

/** What a reader of `item` finds, fenced or not; undefined where nothing stands. */
export function hitOf(
  { held }: Entry,
  { field, part }: Omit<ReadItem, 'secret' | 'known'>,
  nowMs: number,
): Hit | undefined {
  const value = held?.value.value === null ? null : held?.stored.get(field);
  if (!held || value === undefined) return undefined;
  const { version, changedAtMs, ttlMs } = held.value;
  const ageMs = Math.floor(nowMs - held.storedAtMs);
  const members = value === null ? [] : held.members.part(part);
  const stamp = `${version}:${held.storedAtMs}`;
  return { kind: 'hit', version, changedAtMs, ageMs, ttlMs, value, members, count: held.members.count, stamp };
}

/** About how much memory it takes. */
export function bytesOf(entry: Entry): number {
  let bytes = 200 + entry.view.length + entry.key.length;
  for (const [field, json] of entry.held?.stored ?? []) bytes += 2 * (field.length + json.length);
  return bytes + (entry.held?.members.bytes ?? 0);
}
