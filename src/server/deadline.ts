// An answer within its time, whatever it waits for. What is under way ends by the deadlines of the stores.

import type { Exchange } from './exchange.js';
import { Refusal } from './refusal.js';

/** What `work` resolves to, or {@link late} once `ms` have passed. */
export function within<Value>(ms: number, work: Promise<Value>): Promise<Value | typeof late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error); // once it is late, nobody hears of it
      },
    );
  });
}

/** No answer came in time. */
export const late: unique symbol = Symbol('late');

/** What the client of a late answer is told. What may be a mutation may have been written by then: nothing may repeat it by itself. */
export function lateness({ operationType, method }: Exchange, ms: number): Refusal {
  const repeatable = method === 'GET' || operationType === 'query' || operationType === 'subscription';
  if (repeatable) {
    return new Refusal('UNAVAILABLE', `There was no answer within ${ms} ms; try again, or ask for less.`);
  }
  const sentence =
    `There was no answer within ${ms} ms, and it may have been written; ` +
    'look, or send it again with the same idempotencyKey.';
  return new Refusal('UNAVAILABLE', sentence, { status: 200 });
}
