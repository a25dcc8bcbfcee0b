// Connections to Postgres: one small pool for reads, one for writes, and Drizzle's view of them. Every session says
// what it is, keeps dates in ISO form, and gives up a statement rather than hang.
import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { ARRAY_TYPES } from './array-types.js';
import { withDeadline } from './errors.js';
import { LONG_GREETING, lasting } from './lasting.js';

export type Db = PostgresJsDatabase;
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** Runs one statement: prepared when it comes from the pool, inside the transaction when it comes from a `Tx`. */
export type Query = <Row extends object>(statement: SQL) => Promise<readonly Row[]>;

export interface Connection {
  readonly db: Db;
  /** Prepared statements on the read pool. */
  readonly query: Query;
  readonly close: () => Promise<void>;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly maxReads?: number;
  readonly maxWrites?: number;
  readonly statementTimeoutMs?: number;
}

/** postgres.js waits through an outage; a reader does not. Nor does Postgres go on with what nobody waits for. */
const QUERY_DEADLINE_MS = 3_000;
const STATEMENT_MS = 10_000;

/** Statements that follow each other in a transaction count on seeing what was committed in between, whatever the default. */
export const READ_COMMITTED = { default_transaction_isolation: 'read committed' } as const;

/** Between attempts to connect: the driver's own grow to 20 s, and a Postgres that is back must be found at once. */
export const RECONNECT_SECONDS = 0.1;

const LOCK_TIMEOUT_MS = 800;
/** A gateway that vanishes in the middle of a transaction holds its root rows no longer than this. */
const IDLE_IN_TRANSACTION_MS = 15_000;

/** Opens nothing until the first statement. `close` waits 2 s for statements at work, then drops them. */
export function connect(options: ConnectionOptions): Connection {
  const common = {
    connect_timeout: 5,
    backoff: () => RECONNECT_SECONDS,
    fetch_types: false,
    types: ARRAY_TYPES,
    onnotice: () => {},
    connection: {
      application_name: 'espelho',
      DateStyle: 'ISO',
      TimeZone: 'UTC',
      ...READ_COMMITTED,
      options: LONG_GREETING,
    },
  };
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_MS;
  // Below Postgres' deadlock_timeout: where psql and a mutation lock in opposite orders, the mutation gives way and repeats.
  const connection = {
    ...common.connection,
    statement_timeout: statementTimeoutMs,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
  const writes = postgres(options.url, {
    ...common,
    connection,
    max: options.maxWrites ?? 8,
  });
  const reads = postgres(options.url, {
    ...common,
    connection: { ...common.connection, statement_timeout: Math.min(statementTimeoutMs, QUERY_DEADLINE_MS) },
    max: options.maxReads ?? 8,
  });
  return {
    db: drizzle(lasting(writes)),
    query: preparedQuery(reads),
    close: async () => {
      await Promise.all([writes.end({ timeout: 2 }), reads.end({ timeout: 2 })]);
    },
  };
}

/**
 * Statements of `client`, prepared on the server by their text.
 * @throws `DatabaseUnavailable` after `deadlineMs`; `DatabaseError` when Postgres refused.
 */
export function preparedQuery(client: postgres.Sql, deadlineMs = QUERY_DEADLINE_MS): Query {
  const dialect = new PgDialect();
  return async <Row extends object>(statement: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    const pending = client.unsafe(text, params as postgres.ParameterOrJSON<never>[], { prepare: true });
    // Never cancelled: the driver then gives a statement behind it on the same connection the answer of another one, or
    // keeps the connection for ever, or ends the process. The session's own time-out ends it in Postgres.
    return (await withDeadline(pending, deadlineMs)) as readonly object[] as readonly Row[];
  };
}

/** Whether Postgres answers. */
export async function isReachable(query: Query): Promise<boolean> {
  return query(sql`SELECT 1`).then(
    () => true,
    () => false,
  );
}

/** Statements inside `tx`. */
export function txQuery(tx: Tx): Query {
  return async <Row extends object>(statement: SQL) =>
    (await tx.execute(statement)) as readonly object[] as readonly Row[];
}
