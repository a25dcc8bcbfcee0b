// Whether a day adds up, whatever format it was read from.

import { formatDecimal } from '../money.js';
import type { DayVerdict } from './statement-record.js';

/**
 * The verdict on a day whose total is `closing`, given the balances that the bank lists in it.
 * It is CLOSED when one of them equals the total exactly (or when none is listed to hold against it). Otherwise it
 * stays OPEN, and the nearest balance (of two equally near, the later) is taken for what the bank closed with.
 */
export function verdictOn(
  closing: bigint,
  listed: readonly (bigint | null)[],
  currency: string,
): { readonly statedClosing: bigint } & DayVerdict {
  const statedClosing = nearest(closing, listed);
  if (statedClosing === closing) return { statedClosing, status: 'CLOSED' };
  const sum = formatDecimal(closing, currency);
  const stated = formatDecimal(statedClosing, currency);
  const reason = `The day adds up to ${sum}, but the nearest balance that it lists is ${stated}; it stays OPEN.`;
  return { statedClosing, status: 'OPEN', because: 'unbalanced', reason };
}

function nearest(closing: bigint, listed: readonly (bigint | null)[]): bigint {
  let found = closing;
  let distance: bigint | undefined;
  for (const balance of listed) {
    if (balance === null) continue;
    const away = balance < closing ? closing - balance : balance - closing;
    if (distance !== undefined && away > distance) continue;
    found = balance;
    distance = away;
  }
  return found;
}
