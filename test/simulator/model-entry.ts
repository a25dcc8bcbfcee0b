// One entry of the model of Redis: what it holds, and what readers get of it.
import { Members } from '../../src/cache/part.js';
import type { EntryFacts, Guard, Hit, PatchItem, ReadItem, StoredValue } from '../../src/cache/store.js';

export interface Held {
  readonly value: Omit<StoredValue, 'field'>;
  /** Texts by field. */
  readonly texts: ReadonlyMap<string, string>;
  readonly storedAtMs: number;
}

export interface ModelEntry {
  readonly view: string;
  readonly key: string;
  readonly generation: string;
  readonly held: Held | undefined;
  readonly token: { readonly token: string; readonly expiresAtMs: number } | undefined;
  readonly fences: readonly { readonly name: string; readonly atMs: number }[];
  readonly expiresAtMs: number;
}

export type StoredMeta = Guard & { readonly cursor: string };

/** What one partition holds. */
export interface Data {
  readonly metas: Map<number, StoredMeta>;
  readonly entries: Map<number, Map<string, ModelEntry>>;
}

/** Of the value that stands there, fenced or not, in whatever format. */
export const stampOf = ({ held }: ModelEntry): string | undefined => held && `${held.value.version}:${held.storedAtMs}`;

/** What a reader of the entry gets, fenced or not; undefined where the value asked for is not there. */
export function hitOf(
  entry: ModelEntry,
  { field, part }: Omit<ReadItem, 'secret' | 'known'>,
  nowMs: number,
): Hit | undefined {
  const { held } = entry;
  const stamp = stampOf(entry);
  if (!held || stamp === undefined) return undefined;
  const value = held.value.value === null ? null : held.texts.get(field);
  if (value === undefined) return undefined;
  const { version, changedAtMs, ttlMs, shape } = held.value;
  const ageMs = Math.floor(nowMs - held.storedAtMs);
  const members = new Members(shape, held.value.members ?? []);
  const asked = value === null ? [] : members.part(part);
  return { kind: 'hit', version, changedAtMs, ageMs, ttlMs, value, members: asked, count: members.count, stamp };
}

/** The members after a patch; undefined where there are not as many as there should be. */
export function changedMembers(
  { shape, members: before }: Pick<StoredValue, 'shape' | 'members'>,
  item: PatchItem,
): readonly string[] | undefined {
  const members = new Members(shape, before ?? []);
  members.change(item);
  if (members.count !== item.count) return undefined;
  const words = members.part({ kind: 'all' }).map(String);
  return shape === 'set' ? words.filter((_, at) => at % 2 === 0) : words;
}

/** What an operator is told. */
export function factsOf(
  entry: ModelEntry | undefined,
  item: Omit<ReadItem, 'secret' | 'part'>,
  nowMs: number,
): EntryFacts {
  const whole = entry && hitOf(entry, { ...item, part: undefined }, nowMs) !== undefined;
  const leased = entry?.token !== undefined && entry.token.expiresAtMs > nowMs;
  return {
    version: entry?.held?.value.version,
    state: entry && entry.fences.length > 0 ? 'fenced' : whole ? 'fresh' : leased ? 'leased' : 'absent',
    ageMs: entry?.held ? Math.floor(nowMs - entry.held.storedAtMs) : undefined,
    ttlMs: entry && Number.isFinite(entry.expiresAtMs) ? Math.floor(entry.expiresAtMs - nowMs) : undefined,
    bytes: entry ? 1 : 0,
  };
}
