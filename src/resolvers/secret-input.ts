// What a secret may be, how long it may live, and what is said where there is none. No sentence repeats a value.
import { Invalid, NotFound } from './errors.js';
import type { Maybe } from './input.js';

const MAX_SECRET_BYTES = 65_536;
const MAX_ROTATION_DAYS = 3_650;
const MAX_OVERLAP_SECONDS = 30 * 86_400;
const MAX_REASON_LENGTH = 1_000;

/** @throws {Invalid} unless `value` has a character, 64 KiB at most, and comes back as it is. */
export function requireSecretValue(value: string): void {
  const path = ['value'];
  if (value === '') throw new Invalid('A secret has at least one character.', { path });
  if (Buffer.byteLength(value) > MAX_SECRET_BYTES) {
    throw new Invalid(`A secret has at most ${MAX_SECRET_BYTES} bytes in UTF-8.`, { path });
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new Invalid('The secret has half of a surrogate pair, which would not come back: send bytes in base64.', {
      path,
    });
  }
}

/** Undefined when nothing is said of it, null when the secret is never due. */
export function requireRotation(days: Maybe<number>): number | null | undefined {
  if (days === undefined || days === null) return undefined;
  if (Number.isInteger(days) && days >= 0 && days <= MAX_ROTATION_DAYS) return days === 0 ? null : days;
  throw new Invalid(`rotateEveryDays is from 1 to ${MAX_ROTATION_DAYS}, or 0 for never.`, {
    path: ['rotateEveryDays'],
  });
}

/** @throws {Invalid} unless `seconds` is from 0 to 30 days. */
export function requireOverlap(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_OVERLAP_SECONDS) return seconds;
  throw new Invalid(`overlapSeconds must be from 0 to ${MAX_OVERLAP_SECONDS}, which is 30 days.`, {
    path: ['overlapSeconds'],
  });
}

/** @throws {Invalid} unless `reason` says something that the audit log can keep. */
export function requireReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_LENGTH && !/[\0\p{Surrogate}]/u.test(reason)) return;
  throw new Invalid('Say why, in 1 to 1,000 characters: the reason is kept in the audit log.', { path: ['reason'] });
}

export const noSecret = (name: string) =>
  new NotFound(`There is no secret ${name}; putSecret makes one.`, { path: ['name'] });

export const noVersion = (name: string, number: number | undefined) =>
  new NotFound(
    number === undefined
      ? `The secret ${name} has no current version; putSecret makes one, and restoreSecret brings an earlier one back.`
      : `The secret ${name} has no version ${number}, or it is destroyed.`,
    { path: ['version'] },
  );

export const endedVersion = (name: string, number: number) =>
  new NotFound(
    `Version ${number} of the secret ${name} was replaced, and the overlap is over: use the current one, or restoreSecret.`,
    { path: ['version'] },
  );
