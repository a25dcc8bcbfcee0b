// Connections to Postgres: a few sessions for reads, a few for writes, and Drizzle's view of them. Every session says
// what it is, keeps dates in ISO form, and gives up a statement rather than hang.
import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { ARRAY_TYPES } from './array-types.js';
import type { AuditSigner } from './audit-signer.js';
import { withDeadline } from './errors.js';
import { type Session, type SessionOptions, statementOf, type Transaction } from './session.js';
import { Sessions } from './sessions.js';

export type Db = PostgresJsDatabase;
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** Runs one statement: prepared when it comes from the pool, inside the transaction when it comes from a `Tx`. */
export type Query = <Row extends object>(statement: SQL) => Promise<readonly Row[]>;

/** On whose behalf statements of accounts are asked for: of one holder, or of somebody who may see all of them. */
export type Reader = { readonly holder: string } | 'any';

export interface Connection {
  /** Its transactions see every row. */
  readonly db: Db;
  /** Prepared statements that see every row: for what loads entries of the cache, and for commands. */
  readonly query: Query;
  /** The same, but of accounts and their statements they see nothing. */
  readonly bareQuery: Query;
  /** Statements that see of accounts and their statements what the reader may. */
  readonly queryAs: (reader: Reader) => Query;
  readonly close: () => Promise<void>;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly maxReads?: number;
  readonly maxWrites?: number;
  readonly statementTimeoutMs?: number;
  /** Signs the rows of the audit log that its transactions write. */
  readonly signer?: AuditSigner | undefined;
}

export interface SessionSettings {
  readonly url: string;
  readonly max: number;
  /** What `pg_stat_activity` shows. */
  readonly name: string;
  readonly statementTimeoutMs: number;
  /** Parameters of the session beside those that all have. */
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly keeps?: boolean;
}

/** postgres.js waits through an outage; a reader does not. Nor does Postgres go on with what nobody waits for. */
export const QUERY_DEADLINE_MS = 3_000;
const STATEMENT_MS = 10_000;
/** Beyond a statement's own time-out: it takes a while to connect, and to say that it has timed out. */
const SILENCE_MARGIN_MS = 1_500;

const LOCK_TIMEOUT_MS = 800;
/** A gateway that vanishes in the middle of a transaction holds its root rows no longer than this. */
const IDLE_IN_TRANSACTION_MS = 15_000;
const CLOSE_SECONDS = 2;
/**
 * Every statement is planned once in a session, without regard to its values: planning took longer than most statements do.
 * A plan is kept while tables grow under it, so it goes by indexes; and none is compiled.
 */
const PLANNED_ONCE = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' };
/** What lifts the row-level security of accounts and their statements. */
const SEES_ALL = { 'espelho.statements': 'all' };

/** Opens nothing until the first statement. `close` waits 2 s for statements at work, then drops them. */
export function connect({ url, maxReads = 8, maxWrites = 8, ...options }: ConnectionOptions): Connection {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_MS;
  const writes = openSessions({
    url,
    max: maxWrites,
    name: 'espelho',
    statementTimeoutMs,
    // Below Postgres' deadlock_timeout: where psql and a mutation lock in opposite orders, the mutation gives way and repeats.
    parameters: {
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      default_transaction_read_only: 'on', // whatever changes anything says BEGIN before
      ...SEES_ALL,
    },
  });
  const readTimeoutMs = Math.min(statementTimeoutMs, QUERY_DEADLINE_MS);
  const reading = { url, name: 'espelho', statementTimeoutMs: readTimeoutMs };
  const reads = openSessions({ ...reading, max: maxReads, parameters: SEES_ALL });
  const bare = openSessions({ ...reading, max: maxReads });
  const owned = openSessions({ ...reading, max: Math.ceil(maxReads / 2) });
  return {
    db: options.signer ? signing(drizzled(url, writes), options.signer) : drizzled(url, writes),
    query: preparedQuery(reads),
    bareQuery: preparedQuery(bare),
    queryAs: (reader) => readersQuery(owned, reader),
    close: async () => {
      await Promise.all([writes, reads, bare, owned].map((sessions) => sessions.end(CLOSE_SECONDS)));
    },
  };
}

/** Sessions that see what was committed before each of their statements, whatever the server's default is. */
export function openSessions({
  url,
  max,
  name,
  statementTimeoutMs,
  parameters,
  keeps = false,
}: SessionSettings): Sessions {
  const driver: SessionOptions['driver'] = {
    connect_timeout: 5,
    fetch_types: false,
    types: ARRAY_TYPES,
    onnotice: () => {},
    connection: {
      application_name: name,
      DateStyle: 'ISO',
      TimeZone: 'UTC',
      default_transaction_isolation: 'read committed',
      statement_timeout: statementTimeoutMs,
      ...PLANNED_ONCE,
      ...parameters,
    },
  };
  return new Sessions({ url, driver, max, keeps, silenceMs: statementTimeoutMs + SILENCE_MARGIN_MS });
}

/**
 * Statements on `sessions`, prepared on the server by their text.
 * @throws `DatabaseUnavailable` after `deadlineMs`; `DatabaseError` when Postgres refused.
 */
export function preparedQuery(sessions: Sessions, deadlineMs = QUERY_DEADLINE_MS): Query {
  const dialect = new PgDialect();
  return async <Row extends object>(statement: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    // Never cancelled: the driver then gives a statement behind it on the same connection the answer of another one, or
    // keeps the connection for ever, or ends the process. The session's own time-out ends it in Postgres.
    const pending = sessions.run(text, params as postgres.ParameterOrJSON<never>[]);
    return (await withDeadline(pending, deadlineMs)) as readonly object[] as readonly Row[];
  };
}

/** Statements in a transaction of their own that says whose rows it may see. */
function readersQuery(sessions: Sessions, reader: Reader): Query {
  const dialect = new PgDialect();
  const [holder, statements] = reader === 'any' ? ['', 'all'] : [reader.holder, ''];
  return async <Row extends object>(statement: SQL) => {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    const pending = sessions.exclusively((session) =>
      session.transaction(async (tx) => {
        // Sent together, and run one after the other.
        const [, rows] = await Promise.all([
          tx.unsafe(SET_READER, [holder, statements]),
          tx.unsafe(text, params as postgres.ParameterOrJSON<never>[]),
        ]);
        return rows;
      }),
    );
    return (await withDeadline(pending, QUERY_DEADLINE_MS)) as readonly object[] as readonly Row[];
  };
}

const SET_READER = `SELECT set_config('espelho.holder', $1, true), set_config('espelho.statements', $2, true)`;

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

const signers = new WeakMap<Tx, AuditSigner>();

/** Who signs what `tx` writes to the audit log. */
export const signerOf = (tx: Tx): AuditSigner | undefined => signers.get(tx);

function signing(db: Db, signer: AuditSigner): Db {
  const begin: Db['transaction'] = db.transaction.bind(db);
  const transaction: Db['transaction'] = (body, config) =>
    begin((tx) => {
      signers.set(tx, signer);
      return body(tx);
    }, config);
  return Object.assign(db, { transaction });
}

/** Drizzle over sessions, each of which serves one transaction or statement at a time. */
function drizzled(url: string, sessions: Sessions): Db {
  // Drizzle sets here how values are sent and read; nothing is ever asked of this client.
  const shape = postgres(url, { types: ARRAY_TYPES });
  const exclusively = <Result>(act: (session: Session) => PromiseLike<Result>) =>
    sessions.exclusively((session) => {
      Object.assign(session.forms.parsers, shape.options.parsers);
      Object.assign(session.forms.serializers, shape.options.serializers);
      return act(session);
    });
  const begin = (body: (tx: Transaction) => Promise<unknown>) => exclusively((session) => session.transaction(body));
  const unsafe = (text: string, parameters?: postgres.ParameterOrJSON<never>[]) =>
    statementOf((asValues) =>
      exclusively((session) => {
        const statement = session.statement(text, parameters);
        return asValues ? statement.values() : statement;
      }),
    );
  const client = { begin, unsafe };
  return drizzle(new Proxy(shape, { get: (target, name) => Reflect.get(name in client ? client : target, name) }));
}
