// What a request gets of an entry: its value or a part of it, with what vouches for it.
import type { Outcome, RawReading } from './raw-reading.js';

/** A value with what vouches for it, or the knowledge that there is none. */
export type Reading<Value> = Present<Value> | { readonly kind: 'absent' };

export interface Present<Value> extends Vouched {
  readonly kind: 'present';
  readonly value: Value;
}

interface Vouched {
  readonly version: bigint;
  /** When this version was written. */
  readonly asOf: Date;
  /** True only when neither store could vouch for it. */
  readonly stale: boolean;
}

/** Fields of a hash. */
export type Fields<Field> =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'present'; readonly fields: ReadonlyMap<string, Field>; readonly count: number } & Vouched);

/** Whether each of the members asked for is in a set. */
export type Membership =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'present'; readonly contains: readonly boolean[]; readonly count: number } & Vouched);

export interface Rows<Member> {
  readonly members: readonly Member[];
  /** Rows in the whole list. */
  readonly count: number;
}

/** One read, as told to whoever asks where an answer came from. */
export interface TraceEntry {
  readonly view: string;
  readonly key: string;
  readonly outcome: Outcome;
  readonly ageMs: number;
  readonly version: string;
  readonly ms: number;
}

/** What vouches for a value that was read. */
export const vouchedBy = ({ version, changedAtMs, outcome }: RawReading): Vouched => ({
  version: BigInt(version),
  asOf: new Date(changedAtMs),
  stale: outcome === 'STALE',
});

/** Fields as `fill` puts them in, unless there are none at all. */
export function fieldsOf<Field>(raw: RawReading, fill: (fields: Map<string, Field>) => void): Fields<Field> {
  if (raw.value === null) return { kind: 'absent' };
  const fields = new Map<string, Field>();
  fill(fields);
  return { kind: 'present', fields, count: raw.count, ...vouchedBy(raw) };
}
