// The change log as the relay and the trust of the cache see it. Its connection is its own, so that a busy pool never
// delays the relay, and so that the advisory lock of the leading gateway lives as long as its session.
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { ADVISORY, lockKey, lockRow } from './advisory-lock.js';
import { openSessions, preparedQuery, QUERY_DEADLINE_MS } from './connection.js';
import { DatabaseUnavailable } from './errors.js';
import { leave } from './gateway.js';
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
const CLOSE_SECONDS = 2;
/** A server that has lost sight of its client lets the session's locks go. */
const LOST_SOON = { tcp_keepalives_idle: 5, tcp_keepalives_interval: 2, tcp_keepalives_count: 3 };
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
  // One session, whose locks must not lapse before it does.
  const log = openSessions({
    url,
    max: 1,
    name: 'espelho relay',
    statementTimeoutMs: QUERY_DEADLINE_MS,
    parameters: LOST_SOON,
    keeps: true,
  });
  // Apart: whoever waits for its lease behind a long look trusts nothing meanwhile.
  const lease = openSessions({
    url,
    max: 1,
    name: 'espelho lease',
    statementTimeoutMs: LEASE_STATEMENT_MS,
    parameters: { lock_timeout: LEASE_LOCK_MS },
  });
  const query = preparedQuery(log);
  const leaseQuery = preparedQuery(lease);
  const position = async () => {
    const [now] = await query<Position>(sql`SELECT ${POSITION}`);
    if (!now) throw new Error('Postgres gave no snapshot.');
    return now;
  };
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
      const seen = await position();
      if (BigInt(seen.flushed) >= BigInt(seen.inserted)) return seen.cursor;
      await query(FLUSH);
      const { session, flushed } = await position();
      if (session === seen.session && BigInt(flushed) >= BigInt(seen.inserted)) return seen.cursor;
      throw new DatabaseUnavailable('Postgres was lost before what it had shown was on disk; try again.');
    },

    /**
     * What `partitions` have pending since `cursor`: rows that this statement sees and the cursor did not.
     * The log cannot be continued from another server or timeline, from the future (this server was set back), or from too
     * far behind.
     */
    changesSince: async (cursor: string, partitions: readonly number[]) => {
      const since = cursor.slice(cursor.indexOf('/') + 1);
      const [look] = await query<Look>(sql`
        SELECT ${POSITION}, EXISTS (SELECT FROM pg_locks WHERE ${BARRIER_LOCK}) AS awaited,
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
      await Promise.all([log.end(CLOSE_SECONDS), lease.end(CLOSE_SECONDS)]);
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

/** The cursor; how far its WAL goes and how far there is any on disk; and which session of which server says so. */
const POSITION = sql`${CURSOR} AS cursor,
  pg_current_wal_insert_lsn() - '0/0' AS inserted, pg_current_wal_flush_lsn() - '0/0' AS flushed,
  (pg_backend_pid() || ' ' || (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())) AS session`;

/** A COMMIT that waits for the disk, whatever the server's default is: it takes everything before it there. */
const FLUSH = sql`
  SELECT set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'espelho', '')`;

interface Position {
  readonly cursor: string;
  readonly inserted: string;
  readonly flushed: string;
  readonly session: string;
}

interface Look extends Position {
  readonly awaited: boolean;
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
