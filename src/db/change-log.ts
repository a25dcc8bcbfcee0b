// The change log as the relay and the trust of the cache see it. Its connection is its own, so that a busy pool never
// delays the relay, and so that the advisory lock of the leading gateway lives as long as its session.
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { ADVISORY, lockKey, lockRow } from './advisory-lock.js';
import { ARRAY_TYPES } from './array-types.js';
import { preparedQuery, READ_COMMITTED, RECONNECT_SECONDS } from './connection.js';
import { leave } from './gateway.js';
import { LONG_GREETING } from './lasting.js';
import {
  closeEpoch,
  type EpochClosing,
  findPartitions,
  type GatewayIdentity,
  type LeaseRenewing,
  openEpoch,
  type PartitionEpoch,
  renewLease,
} from './partition.js';

/** Above this many pending entries an empty generation is cheaper than carrying them over. */
const MAX_PENDING = 20_000;
/** Less than a lease lasts, and longer than a transaction that closes partitions takes to end. */
const LEASE_STATEMENT_MS = 2_000;
const LEASE_LOCK_MS = 500;
const LOOK_STATEMENT_MS = 10_000;
const BARRIER_LOCK = lockRow(ADVISORY.barrier);

export interface ChangeLogRow {
  readonly partition: number;
  readonly view: string;
  readonly key: string;
  readonly version: string;
  readonly xid: string;
}

/** Opens the change log of the database at `url`. Who is no gateway only looks. */
export function openChangeLog(url: string, gateway: GatewayIdentity = { id: randomUUID(), store: 'none' }) {
  const common = {
    max: 1,
    connect_timeout: 5,
    backoff: () => RECONNECT_SECONDS,
    fetch_types: false,
    types: ARRAY_TYPES,
    onnotice: () => {},
  };
  const client = postgres(url, {
    ...common,
    max_lifetime: null, // the locks of the session must not lapse
    connection: {
      ...READ_COMMITTED,
      application_name: 'espelho relay',
      statement_timeout: LOOK_STATEMENT_MS,
      options: LONG_GREETING,
    },
  });
  // Apart: whoever waits for its lease behind a long look trusts nothing meanwhile.
  const lease = postgres(url, {
    ...common,
    connection: {
      ...READ_COMMITTED,
      application_name: 'espelho lease',
      statement_timeout: LEASE_STATEMENT_MS,
      lock_timeout: LEASE_LOCK_MS,
      options: LONG_GREETING,
    },
  });
  const query = preparedQuery(client);
  const leaseQuery = preparedQuery(lease);
  return {
    /** Statements of this one session, for locks that must live as long as it. */
    query,

    /** Whether this session leads the relays; tries to become the leader. */
    lead: async (): Promise<boolean> => {
      const [row] = await query<{ leads: boolean }>(sql`
        SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE ${lockRow(ADVISORY.leader)} AND pid = pg_backend_pid())
          THEN true ELSE pg_try_advisory_lock(${lockKey(ADVISORY.leader)}) END AS leads`);
      return row?.leads ?? false;
    },

    partitions: () => findPartitions(query),
    renew: (renewing: LeaseRenewing) => renewLease(leaseQuery, gateway, renewing),
    closeEpoch: (closing: EpochClosing) => closeEpoch(leaseQuery, closing, gateway.id),
    openEpoch: (opening: Omit<PartitionEpoch, 'open'>) => openEpoch(leaseQuery, opening),

    now: async (): Promise<string> => {
      const [row] = await query<{ cursor: string }>(sql`SELECT ${CURSOR} AS cursor`);
      if (!row) throw new Error('Postgres gave no snapshot.');
      return row.cursor;
    },

    /**
     * What `partitions` have pending since `cursor`: rows that this statement sees and the cursor did not.
     * The log cannot be continued from another server or timeline, from the future (this server was set back), or from too
     * far behind.
     */
    changesSince: async (cursor: string, partitions: readonly number[]) => {
      const since = cursor.slice(cursor.indexOf('/') + 1);
      const [look] = await query<Look>(sql`
        SELECT ${CURSOR} AS cursor, pg_current_wal_insert_lsn() - '0/0' AS inserted,
          pg_current_wal_flush_lsn() - '0/0' AS flushed,
          EXISTS (SELECT FROM pg_locks WHERE ${BARRIER_LOCK}) AS awaited, ${SESSION} AS session,
          pg_snapshot_xmax(${since}::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) AS follows,
          (SELECT CASE WHEN count(*) > ${MAX_PENDING}::int THEN NULL
              ELSE coalesce(json_agg(json_build_array(partition, view, key, version::text, xid::text)), '[]') END
            FROM (SELECT partition, view, key, version, xid FROM entry
              WHERE xid >= pg_snapshot_xmin(${since}::pg_snapshot)
                AND NOT pg_visible_in_snapshot(xid, ${since}::pg_snapshot)
                AND partition = ANY (${sql.param([...partitions])}::int[])
              LIMIT ${MAX_PENDING + 1}::int) AS pending) AS pending`);
      if (!look) throw new Error('Postgres gave no snapshot.');
      const continued = look.follows && look.cursor.startsWith(cursor.slice(0, cursor.indexOf('/') + 1));
      return {
        cursor: look.cursor,
        entries: continued ? look.pending?.map(changedEntry) : undefined,
        insertedLsn: BigInt(look.inserted),
        flushedLsn: BigInt(look.flushed),
        awaited: look.awaited,
        session: look.session,
      };
    },

    /** For partitions that are still in the epoch given, and that nobody is closing. */
    recordCovered: async (partitions: readonly PartitionEpochRef[], cursor: string): Promise<void> => {
      const covered = cursor.slice(cursor.indexOf('/') + 1);
      await query(sql`UPDATE entry_partition AS mine SET covered = ${covered}::pg_snapshot
        FROM (SELECT partition, epoch FROM entry_partition ORDER BY partition FOR UPDATE SKIP LOCKED) AS free
        JOIN unnest(${sql.param(partitions.map(({ partition }) => partition))}::int[],
          ${sql.param(partitions.map(({ epoch }) => epoch))}::bigint[]) AS given (partition, epoch) USING (partition, epoch)
        WHERE mine.partition = free.partition`);
    },

    ended: async (xids: readonly string[]): Promise<ReadonlySet<string>> => {
      const rows = await query<{ xid: string }>(sql`
        SELECT xid::text FROM unnest(${sql.param([...xids])}::xid8[]) AS xid
        WHERE pg_visible_in_snapshot(xid, pg_current_snapshot())`);
      return new Set(rows.map(({ xid }) => xid));
    },

    /** For a gateway that believes no store any more: the others need not wait for it. */
    close: async () => {
      await leave(leaseQuery, gateway.id).catch(() => {});
      await Promise.all([client.end({ timeout: 2 }), lease.end({ timeout: 2 })]);
    },
  };
}

/** A partition in one epoch. */
export type PartitionEpochRef = Pick<PartitionEpoch, 'partition' | 'epoch'>;

export type PostgresChangeLog = ReturnType<typeof openChangeLog>;

/**
 * System, timeline and snapshot: `system:timeline/xmin:xmax:xip`. Another system or timeline counts transactions anew.
 * The timeline is read off the WAL being written: the control file learns of a promotion only at the next checkpoint.
 */
const CURSOR = sql.raw(
  `((SELECT system_identifier FROM pg_control_system())
    || ':' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) || '/' || pg_current_snapshot())`,
);

/** This session of this server. */
const SESSION = sql.raw(
  `(pg_backend_pid() || ' ' || (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()))`,
);

interface Look {
  readonly cursor: string;
  readonly inserted: string;
  readonly flushed: string;
  readonly awaited: boolean;
  readonly session: string;
  readonly follows: boolean;
  /** Null when there is more than can be carried over. */
  readonly pending: readonly PendingTuple[] | null;
}

type PendingTuple = readonly [partition: number, view: string, key: string, version: string, xid: string];

const changedEntry = ([partition, view, key, version, xid]: PendingTuple): ChangeLogRow => ({
  partition,
  view,
  key,
  version,
  xid,
});
