// Idempotency keys are deleted once they stand for nothing any more, by every gateway now and then, and by no mutation.
import { deleteExpiredKeys, type Query } from '../db/index.js';

const EVERY_MS = 300_000;
const KEYS_PER_STATEMENT = 500;

/** Deletes expired idempotency keys every five minutes until it is stopped. What fails is tried again then. */
export function forgetExpiredKeys(query: Query, everyMs = EVERY_MS): { readonly stop: () => Promise<void> } {
  let stopped = false;
  let working = Promise.resolve();
  const forget = async () => {
    let deleted = KEYS_PER_STATEMENT;
    while (!stopped && deleted === KEYS_PER_STATEMENT) deleted = await deleteExpiredKeys(query, KEYS_PER_STATEMENT);
  };
  const timer = setInterval(() => {
    working = working.then(forget).catch(() => {});
  }, everyMs).unref();
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
      return working;
    },
  };
}
