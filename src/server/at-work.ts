// Routes beside /graphql that ask the stores: they take a place among the requests at work, are the first to be turned away,
// and answer within the deadline, as queries do.

import { late, lateness, within } from './deadline.js';
import type { Exchange } from './exchange.js';
import type { Limits } from './limits.js';
import type { Places } from './overload.js';

/** Runs what a route only reads, once its request has arrived whole. */
export type AtWork = <Value>(exchange: Exchange, work: () => Promise<Value>) => Promise<Value>;

/** What runs like a query of GraphQL. @throws {Refusal} when there is no place for it, or no answer in time; what `work` throws. */
export function atWork(places: Places, { deadlineMs }: Limits): AtWork {
  return async (exchange, work) => {
    exchange.operationType = 'query';
    const leave = places.enter();
    try {
      places.admitQuery(exchange);
      const value = await within(deadlineMs, work());
      if (value === late) throw lateness(exchange, deadlineMs);
      return value;
    } finally {
      leave();
    }
  };
}
