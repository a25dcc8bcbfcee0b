// The advisory locks of Espelho: one class, and a number for each purpose.
import { type SQL, sql } from 'drizzle-orm';

/** Any number will do, so long as nothing else in the database uses it. */
const CLASS = 1_702_064_233;

export const ADVISORY = {
  /** Held, shared, by whoever waits in `cache_barrier`; the function names it by number. */
  barrier: 1,
  /** Held by the gateway whose relay leads. */
  leader: 2,
  /** Held alone by a gateway with the in-process store, shared by gateways with Redis. */
  store: 3,
  /** Held by whoever migrates. */
  migration: 4,
  /** Held by whoever adds a seal to the audit log. */
  audit: 5,
  /**
   * This and the number of a partition: held, shared, by writers that found it closed; by who opens it, alone. The functions
   * name it by number.
   */
  partition: 1_000,
} as const;

/** The two arguments of Postgres' advisory lock functions. */
export const lockKey = (purpose: number): SQL => sql.raw(`${CLASS}, ${purpose}`);

/** Which rows of `pg_locks` say that somebody in this database has the lock. */
export const lockRow = (purpose: number): SQL =>
  sql.raw(`locktype = 'advisory' AND granted AND classid = ${CLASS} AND objid = ${purpose} AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
