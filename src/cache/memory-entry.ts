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

/** Of the value that stands there, fenced or not, in whatever format. */
export const stampOf = ({ held }: Entry): string | undefined => held && `${held.value.version}:${held.storedAtMs}`;

/** What a reader of `item` finds, fenced or not; undefined where nothing stands. */
export function hitOf(
  entry: Entry,
  { field, part }: Omit<ReadItem, 'secret' | 'known'>,
  nowMs: number,
): Hit | undefined {
  const { held } = entry;
  const value = held?.value.value === null ? null : held?.stored.get(field);
  const stamp = stampOf(entry);
  if (!held || value === undefined || stamp === undefined) return undefined;
  const { version, changedAtMs, ttlMs } = held.value;
  const ageMs = Math.floor(nowMs - held.storedAtMs);
  const members = value === null ? [] : held.members.part(part);
  return { kind: 'hit', version, changedAtMs, ageMs, ttlMs, value, members, count: held.members.count, stamp };
}

/** About how much memory it takes. */
export function bytesOf(entry: Entry): number {
  let bytes = 200 + entry.view.length + entry.key.length;
  for (const [field, json] of entry.held?.stored ?? []) bytes += 2 * (field.length + json.length);
  return bytes + (entry.held?.members.bytes ?? 0);
}
