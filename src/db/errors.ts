// What Postgres may do to a caller, without ever repeating a statement's parameters: they may be secrets.
import { DrizzleQueryError } from 'drizzle-orm';
import postgres from 'postgres';

/** Postgres is out of reach, or did not answer in time. */
export class DatabaseUnavailable extends Error {
  readonly code = 'UNAVAILABLE';
  override readonly name = 'DatabaseUnavailable';
}

/** Postgres refused a statement. */
export class DatabaseError extends Error {
  readonly code = 'DATABASE_ERROR';
  override readonly name = 'DatabaseError';
  /** SQLSTATE. */
  readonly state: string;
  readonly constraint: string | undefined;
  constructor(state: string, constraint: string | undefined) {
    super(`Postgres refused a statement (SQLSTATE ${state}${constraint ? `, constraint ${constraint}` : ''}).`);
    this.state = state;
    this.constraint = constraint;
  }
}

/** The same failure without statement and parameters; anything that is no database failure comes back as it is. */
export function withoutParameters(error: unknown): unknown {
  if (error instanceof DrizzleQueryError)
    return withoutParameters(error.cause ?? new DatabaseError('XX000', undefined));
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error instanceof DatabaseUnavailable || error instanceof DatabaseError) return error;
  const { code } = error;
  if (!(error instanceof postgres.PostgresError)) {
    const isLink = DRIVER_CODES.has(code) || 'syscall' in error;
    return isLink ? new DatabaseUnavailable('Postgres is out of reach; try again.', { cause: error }) : error;
  }
  if (PASSING.some((beginning) => code.startsWith(beginning))) {
    return new DatabaseUnavailable('Postgres could not do it now; try again.', {
      cause: new DatabaseError(code, undefined),
    });
  }
  return new DatabaseError(code, error.constraint_name);
}

/** `pending`, or `DatabaseUnavailable` after `deadlineMs`. */
export async function withDeadline<T>(pending: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseUnavailable('Postgres did not answer in time; try again.')),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([pending, late]);
  } catch (error) {
    throw withoutParameters(error);
  } finally {
    clearTimeout(timer);
    pending.catch(() => {});
  }
}

/** Deadlocks, serialisation failures and lock time-outs: the same transaction may succeed when it is run again. */
export const isRetryable = (error: unknown): boolean =>
  error instanceof DatabaseError && ['40001', '40P01', '55P03'].includes(error.state);

/**
 * Whether this is the exception that postgres.js 3.4 throws out of an immediate, where nobody can catch it, when a
 * transaction writes to a connection that has just been lost. Its promise is rejected besides.
 */
export const isWriteToLostSocket = (error: unknown): boolean =>
  error instanceof TypeError &&
  error.message.includes("'write'") &&
  /postgres\/\w+\/connection\.js/.test(error.stack ?? '');

/** How postgres.js says that a connection is gone; the operating system's own errors carry a `syscall`. */
const DRIVER_CODES = new Set(['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT']);

/** SQLSTATEs, by their beginning, that ask for another try: no connection, shutdown, no resources, cancelled. */
const PASSING = ['08', '57P', '53', '57014'];
