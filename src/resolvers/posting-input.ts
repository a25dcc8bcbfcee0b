// What a posting may say: texts of bounded length, amounts that fit into 64 bits, every transaction once.
import { Invalid } from './errors.js';
import type { Maybe } from './input.js';

export interface TransactionInput {
  readonly externalId: string;
  readonly minor: bigint;
  readonly description: string;
  readonly kind?: Maybe<string>;
}

const MAX_LINES = 1_000;
const MAX_MINOR = 2n ** 63n - 1n;

/** 1 to 1,000 transactions, each named once. @throws {Invalid} at the first fault. */
export function requireLines(lines: readonly TransactionInput[]): readonly TransactionInput[] {
  if (lines.length === 0 || lines.length > MAX_LINES) {
    throw new Invalid(
      `One mutation takes 1 to ${MAX_LINES} transactions; bring more in by "espelho import statements".`,
      {
        path: ['lines'],
      },
    );
  }
  return requireEach(lines);
}

/** All transactions that a restated day is to have, each named once; none perhaps. @throws {Invalid} at the first fault. */
export function requireRestatedLines(lines: readonly TransactionInput[]): readonly TransactionInput[] {
  if (lines.length <= MAX_LINES) return requireEach(lines);
  throw new Invalid(`A day is restated with at most ${MAX_LINES} transactions.`, { path: ['lines'] });
}

/** The sums of credits and of debits, both positive. */
export function totalsOf(lines: readonly Pick<TransactionInput, 'minor'>[]): { credits: bigint; debits: bigint } {
  let [credits, debits] = [0n, 0n];
  for (const { minor } of lines) {
    if (minor > 0n) credits += minor;
    else debits -= minor;
  }
  return { credits, debits };
}

function requireEach(lines: readonly TransactionInput[]): readonly TransactionInput[] {
  const seen = new Set<string>();
  for (const [at, line] of lines.entries()) {
    const path = ['lines', String(at)];
    requireText(line.externalId, 1, 255, [...path, 'externalId']);
    requireText(line.description, 0, 500, [...path, 'description']);
    if (line.kind !== null && line.kind !== undefined) requireText(line.kind, 1, 100, [...path, 'kind']);
    requireAmount(line.minor, [...path, 'minor']);
    if (seen.has(line.externalId)) {
      throw new Invalid(`Transaction ${JSON.stringify(line.externalId)} is there twice.`, {
        path: [...path, 'externalId'],
      });
    }
    seen.add(line.externalId);
  }
  return lines;
}

/** Text of `min` to `max` characters without control characters. @throws {Invalid} else. */
export function requireText(text: string, min: number, max: number, path: readonly string[]): string {
  if (text.trim().length >= min && text.length <= max && !/[\p{Cc}\p{Surrogate}]/u.test(text)) return text;
  throw new Invalid(`${path.at(-1)} has ${min} to ${max} characters and no control characters.`, { path });
}

/** An amount that Postgres can hold, and whose negative it can hold too. @throws {Invalid} else. */
export function requireAmount(minor: bigint, path: readonly string[]): bigint {
  if (minor <= MAX_MINOR && minor >= -MAX_MINOR) return minor;
  throw new Invalid('The amount does not fit into 64 bits.', { path });
}
