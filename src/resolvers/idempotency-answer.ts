// The form in which the answer of a mutation is kept beside its idempotency key: JSON that gives back the same dates and
// 64-bit integers, and no envelope of a secret.
import type { EntryRef, Loaded } from '../cache/index.js';

/** What a mutation left behind, for whoever sends it again. */
export interface Remembered<Result> {
  readonly result: Result;
  /** Of the audit row. */
  readonly changeId: string;
  readonly version: bigint;
  readonly bulk: boolean;
  /** The entries that it changed. */
  readonly committed: readonly (EntryRef & { readonly version: string })[];
  /** Values of entries that its payload is read from, each with the name of its view. */
  readonly loaded: readonly (readonly [view: string, Loaded])[];
}

/** What JSON cannot say is an object of one property with such a name; names of others that begin so are given one more #. */
const BIGINT = '#bigint';
const DATE = '#date';

/**
 * Views whose values hold envelopes of secrets, with the properties that do: those are kept as null, lest a version that
 * is destroyed lives on here.
 */
const ENVELOPES: Readonly<Record<string, ReadonlySet<string>>> = { secret: new Set(['ciphertext', 'wrappedKey']) };

export function encodeAnswer<Result>(answer: Remembered<Result>): string {
  const loaded = answer.loaded.map(([view, row]) => [view, withoutEnvelopes(view, row)]);
  return JSON.stringify(tagged({ ...answer, loaded }));
}

export function decodeAnswer<Result>(text: string): Remembered<Result> {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    if (BIGINT in value) return BigInt(String(value[BIGINT]));
    if (DATE in value) return new Date(String(value[DATE]));
    const entries = Object.entries(value);
    return entries.some(([name]) => name.startsWith('#'))
      ? Object.fromEntries(entries.map(([name, content]) => [name.replace(/^#/, ''), content]))
      : value;
  }) as Remembered<Result>;
}

function tagged(value: unknown): unknown {
  if (typeof value === 'bigint') return { [BIGINT]: String(value) };
  if (value instanceof Date) return { [DATE]: value.toISOString() };
  if (Array.isArray(value)) return value.map(tagged);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, content]) => [name.replace(/^#/, '##'), tagged(content)]),
  );
}

function withoutEnvelopes(view: string, row: Loaded): Loaded {
  const properties = ENVELOPES[view];
  if (!properties || row.value === null) return row;
  const emptied = JSON.parse(row.value, (name, value: unknown) => (properties.has(name) ? null : value)) as unknown;
  return { ...row, value: JSON.stringify(emptied) };
}
