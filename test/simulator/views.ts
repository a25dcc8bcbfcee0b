// What is cached in a schedule: notes, one text each, and boards, a hash of two fields of which each write changes one, so
// that a patch of the wrong version shows. A write has a number that no other has.
import { partitionOf } from '../../src/cache/partition.js';
import type { AnyView, HashView, Loaded, TextView } from '../../src/cache/view.js';

/** Loads what a view shows; inside a transaction or outside. */
export type Source = (view: string, keys: readonly string[]) => Promise<Loaded[]>;

const HOUR_MS = 3_600_000;

export const noteView: TextView<Source, number> = {
  name: 'note',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: HOUR_MS,
  load: (source, keys) => source('note', keys),
  decode: Number,
};

export const boardView: HashView<Source, number> = {
  name: 'board',
  format: 1,
  shape: 'hash',
  mode: 'strict',
  ttlMs: HOUR_MS,
  load: (source, keys) => source('board', keys),
  decodeField: Number,
};

export const views: readonly AnyView<Source>[] = [noteView, boardView];

export interface Entry {
  readonly view: 'note' | 'board';
  readonly key: string;
}

export const nameOf = ({ view, key }: { view: string; key: string }): string => `${view}:${key}`;

const places = new Map<string, number>();

/** The partition of an entry, remembered: there are few. */
export function placeOf(view: string, key: string, partitions: number): number {
  const name = `${partitions} ${view}:${key}`;
  let place = places.get(name);
  if (place === undefined) {
    place = partitionOf(view, key, partitions);
    places.set(name, place);
  }
  return place;
}
