// What a caller may ask of any mutation beside its arguments.
import type { LockedRoot } from '../db/index.js';
import { Conflict, Invalid } from './errors.js';
import { requireIdempotencyKey } from './idempotency.js';
import type { Maybe } from './input.js';

export interface WriteOptions {
  readonly expectedVersion?: Maybe<bigint>;
  readonly idempotencyKey?: Maybe<string>;
  readonly dryRun?: Maybe<boolean>;
  readonly reason?: Maybe<string>;
  /** The mutation's arguments beside these; the schema puts them here where there is an idempotency key. */
  readonly input?: unknown;
}

/** @throws {Conflict} when the root that stands has not the version that is expected. */
export function requireVersion(options: Maybe<WriteOptions>, root: LockedRoot | undefined): void {
  const expected = options?.expectedVersion;
  if (expected === undefined || expected === null || !root || root.version === expected) return;
  throw new Conflict(
    `Version ${expected} was expected, but ${root.version} stands: read it and decide again.`,
    root.version,
  );
}

/** @throws {Invalid} at an idempotency key or a reason that cannot be kept. */
export function requireOptions(options: Maybe<WriteOptions>): void {
  requireIdempotencyKey(options?.idempotencyKey);
  const reason = options?.reason ?? '';
  if (reason.length <= 1_000 && !/[\0\p{Surrogate}]/u.test(reason)) return;
  throw new Invalid('A reason has at most 1,000 characters of text.', { path: ['options', 'reason'] });
}
