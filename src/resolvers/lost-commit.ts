// A transaction whose connection was lost before the answer to COMMIT: whether it is written, only Postgres can tell.
import { DatabaseError, DatabaseUnavailable, outcomeOf } from '../db/index.js';
import type { Services } from './context.js';

const OUTCOME_DEADLINE_MS = 5_000;

/** Whether the transaction did commit although its connection was lost before the answer. */
export async function committedAfterAll(
  { query }: Pick<Services, 'query'>,
  xid: string,
  changeId: string,
  error: unknown,
): Promise<boolean> {
  // Only an answer of Postgres proves that nothing was committed.
  if (error instanceof DatabaseError) return false;
  try {
    return (await outcomeOf(query, xid, changeId, Date.now() + OUTCOME_DEADLINE_MS)) === 'committed';
  } catch (cause) {
    // The fences stay: a reader or the sweep ends them once Postgres can tell.
    throw new DatabaseUnavailable(
      'Postgres was lost during COMMIT: read before you try again, it may have been written.',
      {
        cause,
      },
    );
  }
}
