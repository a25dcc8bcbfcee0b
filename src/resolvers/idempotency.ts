// Idempotency keys: the same key of the same caller, with the same input, is one mutation, however often it is sent. What
// its first run answered is kept beside the key for a day and given again, and no secret is in it.
import { createHmac } from 'node:crypto';
import { claimKey, keepAnswer, type Tx } from '../db/index.js';
import type { Context } from './context.js';
import { Invalid, KeyReused } from './errors.js';
import { decodeAnswer, encodeAnswer, type Remembered } from './idempotency-answer.js';
import type { Maybe } from './input.js';

export type Memory<Result> =
  | { readonly kind: 'new'; readonly keep: (answer: Remembered<Result>) => Promise<void> }
  | { readonly kind: 'known'; readonly first: Remembered<Result> };

/** Of WriteOptions, what an idempotency key depends on. */
interface Keyed {
  readonly expectedVersion?: Maybe<bigint>;
  readonly idempotencyKey?: Maybe<string>;
  readonly reason?: Maybe<string>;
  /** The mutation's arguments beside its options. */
  readonly input?: unknown;
}

const MAX_KEY_LENGTH = 255;

/**
 * What is known of this mutation's idempotency key; undefined where it has none. A new key is claimed in `tx`: whoever
 * sends the same meanwhile waits until that has ended.
 * @throws {KeyReused} when the key stands for other input.
 */
export async function recall<Result>(
  ctx: Context,
  tx: Tx,
  action: string,
  options: Maybe<Keyed>,
): Promise<Memory<Result> | undefined> {
  const key = options?.idempotencyKey ?? undefined;
  if (key === undefined) return undefined;
  if (options?.input === undefined) throw new Error(`${action} was given an idempotency key without its input.`);
  const id = digest(ctx, 'key', [ctx.viewer.subject, action, key]);
  const { input, expectedVersion, reason } = options;
  const meant = digest(ctx, 'input', { input, expectedVersion, reason });
  const claim = await claimKey(tx, id, meant);
  if (claim.kind === 'claimed') return { kind: 'new', keep: (answer) => keepAnswer(tx, id, encodeAnswer(answer)) };
  if (claim.input !== meant) {
    throw new KeyReused('This idempotency key stands for other input: send a new key with every new mutation.');
  }
  return { kind: 'known', first: decodeAnswer<Result>(claim.answer) };
}

/** @throws {Invalid} at a key that says nothing, or is too long. */
export function requireIdempotencyKey(key: Maybe<string>): void {
  if (key === undefined || key === null) return;
  if (key.trim() !== '' && key.length <= MAX_KEY_LENGTH) return;
  throw new Invalid(`An idempotency key has 1 to ${MAX_KEY_LENGTH} characters; a random UUID is a good one.`, {
    path: ['options', 'idempotencyKey'],
  });
}

/** Under a key of this installation: the input may hold a secret, which nobody shall guess from what is stored. */
function digest({ services: { pepper } }: Context, purpose: string, meaning: unknown): string {
  return createHmac('sha256', pepper).update(`idempotency ${purpose}\n`).update(canonical(meaning)).digest('base64url');
}

/** JSON that says the same for the same input: properties in order, 64-bit integers as text. */
function canonical(meaning: unknown): string {
  return JSON.stringify(meaning, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
