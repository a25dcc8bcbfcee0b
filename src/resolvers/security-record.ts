// What the three kinds of security values have in common: how they look to callers, what they may be named, and that a
// name keeps its kind.
import {
  findSecurityValue,
  insertSecurityValue,
  type ListKind,
  type SecretState,
  type SecurityValueKind,
  type SecurityValueRow,
  type Tx,
} from '../db/index.js';
import { Invalid } from './errors.js';

/** A security value as callers see it: of a secret never its value, of a list never its members. */
export interface SecurityValue {
  readonly name: string;
  readonly kind: SecurityValueKind;
  /** JSON; null for the other kinds. */
  readonly parameter: unknown;
  /** The JSON Schema that the parameter satisfies, if it has one. */
  readonly schema: unknown;
  readonly memberCount: number | null;
  /** Of a list: what its members are; null for the other kinds. */
  readonly listKind: ListKind | null;
  readonly rotateEveryDays: number | null;
  /** The newest first; none for the other kinds. */
  readonly versions: readonly SecretVersion[];
  readonly version: bigint;
  /** When this version was written. */
  readonly asOf: Date;
  readonly stale: boolean;
}

/** Moments are Unix milliseconds. */
export interface SecretVersion {
  readonly number: number;
  readonly state: SecretState;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Until when a PREVIOUS version can be revealed; null where no end is set. */
  readonly validUntil: number | null;
}

/** What a value of another kind says in each place. */
export const NOT_OF_THIS_KIND = {
  parameter: null,
  schema: null,
  memberCount: null,
  listKind: null,
  rotateEveryDays: null,
  versions: [],
} as const;

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,199}$/u;
/** With a member of the greatest length it still fits one row of the index that keeps members unique. */
const MAX_NAME_BYTES = 400;

export const isSecurityName = (name: string): boolean => NAME.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;

/** @throws {Invalid} unless `name` is 1 to 200 letters, digits and `. _ / -`. It is not repeated: it may be a misplaced secret. */
export function requireSecurityName(name: string): string {
  if (isSecurityName(name)) return name;
  throw new Invalid(
    'This is no name: use letters, digits and . _ / - (200 at most), with a letter or digit in front.',
    { path: ['name'] },
  );
}

/**
 * Makes a value of this name and kind, or gives the one that stands.
 * @throws {Invalid} when the name belongs to a value of another kind.
 */
export async function standingOrNew(
  tx: Tx,
  fresh: Pick<SecurityValueRow, 'name' | 'kind'> & Partial<SecurityValueRow>,
): Promise<SecurityValueRow | undefined> {
  const standing = await findSecurityValue(tx, fresh.name);
  if (!standing && (await insertSecurityValue(tx, fresh))) return undefined;
  // Writers of one kind follow each other; one of another kind may have come in between.
  const row = standing ?? (await findSecurityValue(tx, fresh.name));
  requireKind(row, fresh.kind);
  return row;
}

/** @throws {Invalid} when the value is of another kind. */
export function requireKind(row: SecurityValueRow | undefined, kind: SecurityValueKind): void {
  if (!row || row.kind === kind) return;
  throw new Invalid(`${row.name} is a ${row.kind}, and a name keeps its kind: choose another name.`, {
    path: ['name'],
  });
}
