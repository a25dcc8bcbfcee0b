// What the scripts take as ARGV, in the order that their headers tell.
import type { Part } from './part.js';
import {
  type DropItem,
  FENCE_GRACE_MS,
  type Guard,
  LEASE_MS,
  type PatchItem,
  type ReadItem,
  type StoredValue,
} from './store.js';

type Arguments = (string | number)[];

/** Versions and epochs in Redis have 19 digits, so that Lua compares them as strings: its numbers are doubles. */
export const padded = (decimal: string): string => decimal.padStart(19, '0');

export const guardArgs = ({ incarnation, epoch, generation }: Guard): Arguments => [
  incarnation,
  padded(epoch),
  generation,
];

export function readArgs(items: readonly ReadItem[]): Arguments {
  const args: Arguments = [LEASE_MS, FENCE_GRACE_MS];
  for (const { field, secret, known = '', part } of items) args.push(field, secret, known, ...partArgs(part));
  return args;
}

/** Kind, number of arguments, arguments. */
export function partArgs(part: Part | undefined): Arguments {
  if (part?.kind === 'rows') return [part.kind, 2, part.first, part.last];
  if (part?.kind === 'fields') return [part.kind, part.names.length, ...part.names];
  if (part?.kind === 'contains') return [part.kind, part.members.length, ...part.members];
  return [part?.kind ?? '', 0];
}

/** `aside` is the place in KEYS of members that were put aside, 0 where they come along. */
export function valueArgs(item: StoredValue, aside: number): Arguments {
  const words = aside > 0 ? [] : (item.members ?? []);
  return [
    padded(item.version),
    item.changedAtMs,
    ttlArg(item.ttlMs),
    item.field,
    item.value === null ? 'absent' : 'value',
    item.value ?? '',
    item.shape,
    countOf(item),
    aside,
    words.length,
    ...words,
  ];
}

/** Rows, fields or members; -1 where the value has none. */
const countOf = ({ members, shape }: StoredValue): number =>
  members === null ? -1 : shape === 'hash' ? members.length / 2 : members.length;

export const dropArgs = (items: readonly Omit<DropItem, 'view' | 'key'>[]): Arguments =>
  items.flatMap(({ version, xid, lease = '' }) => [padded(version), xid, lease]);

export const patchArgs = (item: PatchItem): Arguments => [
  item.token,
  item.xid,
  padded(item.version),
  item.changedAtMs,
  ttlArg(item.ttlMs),
  item.field,
  padded(item.from),
  item.count,
  item.set.length,
  ...item.set,
  item.remove.length,
  ...item.remove,
];

const ttlArg = (ttlMs: number): number => Math.max(1, Math.round(ttlMs));
