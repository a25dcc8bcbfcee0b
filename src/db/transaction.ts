// Transactions that are run again when Postgres asks for it.
import type { Db, Tx } from './connection.js';
import { DatabaseUnavailable, isRetryable, withoutParameters } from './errors.js';

const ATTEMPTS = 3;

/**
 * Runs `act` until it is not a deadlock, a serialisation failure or a lock time-out that ends it, three times at most.
 * @throws {DatabaseUnavailable} when others still held the same rows then; and whatever else `act` threw, without the
 * parameters of its statements.
 */
export async function repeated<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (thrown) {
      const error = withoutParameters(thrown);
      if (!isRetryable(error)) throw error;
      if (attempt === ATTEMPTS) {
        throw new DatabaseUnavailable('Other writers hold the same rows; try again.', { cause: error });
      }
    }
  }
}

/** One transaction, repeated as above. */
export const inTransaction = <Result>(db: Db, act: (tx: Tx) => Promise<Result>): Promise<Result> =>
  repeated(() => db.transaction(act));
