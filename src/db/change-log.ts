// The change log as the relay and the trust of the cache see it. Its connection is its own, so that a busy pool never
// delays the relay, and so that the advisory lock of the leading gateway lives as long as its session.
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { ADVISORY, lockKey, lockRow } from './advisory-lock.js';
import { ARRAY_TYPES } from './array-types.js';
import { preparedQuery } from './connection.js';
import { LONG_GREETING } from './lasting.js';

/** Above this many pending entries an empty generation is cheaper than carrying them over. */
const MAX_PENDING = 20_000;
const BARRIER_LOCK = lockRow(ADVISORY.barrier);

export interface ChangeLogRow {
  readonly partition: number;
  readonly view: string;
  readonly key: string;
  readonly version: string;
  readonly xid: string;
}

export interface PartitionEpoch {
  readonly partition: number;
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
}

/** Opens the change log of the database at `url`, for the gateway whose heartbeat bears `gatewayId`. */
export function openChangeLog(url: string, gatewayId?: string) {
  const me = gatewayId ?? null;
  const client = postgres(url, {
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
    types: ARRAY_TYPES,
    onnotice: () => {},
    max_lifetime: null, // the locks of the session must not lapse
    connection: { application_name: 'espelho relay', statement_timeout: 10_000, options: LONG_GREETING },
  });
  const query = preparedQuery(client);
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

    partitions: () =>
      query<PartitionEpoch>(sql`SELECT partition, incarnation, epoch::text, generation::text FROM entry_partition`),

    /**
     * A generation has the number of the epoch that began it. Counted on its own it could come to a number that the
     * store has used: after a backup of this database was restored. While another living gateway says that it trusts
     * the incarnation on record, no other incarnation takes its place: the two would be two stores.
     */
    beginGeneration: async (
      partition: number,
      incarnation: string,
      epoch: string | undefined,
      seenEpoch: string,
    ): Promise<PartitionEpoch> => {
      await query(sql`
        WITH told AS (UPDATE gateway SET store = store || ' ' || ${incarnation}
          WHERE id = ${me}::uuid AND strpos(store, ${incarnation}) = 0)
        INSERT INTO entry_partition AS mine (partition, incarnation, epoch, generation)
        VALUES (${partition}, ${incarnation}, ${seenEpoch}::bigint + 1, ${seenEpoch}::bigint + 1)
        ON CONFLICT (partition) DO UPDATE SET incarnation = excluded.incarnation, covered = NULL,
          epoch = greatest(mine.epoch + 1, excluded.epoch), generation = greatest(mine.epoch + 1, excluded.epoch)
        WHERE mine.epoch = ${epoch ?? null}::bigint AND (mine.incarnation = excluded.incarnation OR NOT EXISTS (
          SELECT FROM gateway WHERE alive_until > now() AND id IS DISTINCT FROM ${me}::uuid
            AND strpos(store, mine.incarnation) > 0))`);
      const [row] = await query<PartitionEpoch>(
        sql`SELECT partition, incarnation, epoch::text, generation::text FROM entry_partition WHERE partition = ${partition}`,
      );
      if (!row) throw new Error(`Partition ${partition} has no row in entry_partition although one was just written.`);
      return row;
    },

    now: async (): Promise<string> => {
      const [row] = await query<{ cursor: string }>(sql`SELECT ${CURSOR} AS cursor`);
      if (!row) throw new Error('Postgres gave no snapshot.');
      return row.cursor;
    },

    /**
     * What `partitions` have pending since `cursor`: rows that this statement sees and the cursor did not.
     * The log cannot be continued from another server, another timeline, or from too far behind.
     */
    changesSince: async (cursor: string, partitions: readonly number[]) => {
      const since = cursor.slice(cursor.indexOf('/') + 1);
      const [look] = await query<Look>(sql`
        SELECT ${CURSOR} AS cursor, pg_current_wal_insert_lsn() - '0/0' AS inserted,
          pg_current_wal_flush_lsn() - '0/0' AS flushed,
          EXISTS (SELECT FROM pg_locks WHERE ${BARRIER_LOCK}) AS awaited,
          (SELECT CASE WHEN count(*) > ${MAX_PENDING}::int THEN NULL
              ELSE coalesce(json_agg(json_build_array(partition, view, key, version::text, xid::text)), '[]') END
            FROM (SELECT partition, view, key, version, xid FROM entry
              WHERE xid >= pg_snapshot_xmin(${since}::pg_snapshot)
                AND NOT pg_visible_in_snapshot(xid, ${since}::pg_snapshot)
                AND partition = ANY (${sql.param([...partitions])}::int[])
              LIMIT ${MAX_PENDING + 1}::int) AS pending) AS pending`);
      if (!look) throw new Error('Postgres gave no snapshot.');
      const continued = look.cursor.startsWith(cursor.slice(0, cursor.indexOf('/') + 1));
      return {
        cursor: look.cursor,
        entries: continued ? look.pending?.map(changedEntry) : undefined,
        insertedLsn: BigInt(look.inserted),
        flushedLsn: BigInt(look.flushed),
        awaited: look.awaited,
      };
    },

    /** For partitions that are still in the epoch given. */
    recordCovered: async (partitions: readonly PartitionEpochRef[], cursor: string): Promise<void> => {
      const covered = cursor.slice(cursor.indexOf('/') + 1);
      await query(sql`UPDATE entry_partition AS mine SET covered = ${covered}::pg_snapshot
        FROM unnest(${sql.param(partitions.map(({ partition }) => partition))}::int[],
          ${sql.param(partitions.map(({ epoch }) => epoch))}::bigint[]) AS given (partition, epoch)
        WHERE mine.partition = given.partition AND mine.epoch = given.epoch`);
    },

    ended: async (xids: readonly string[]): Promise<ReadonlySet<string>> => {
      const rows = await query<{ xid: string }>(sql`
        SELECT xid::text FROM unnest(${sql.param([...xids])}::xid8[]) AS xid
        WHERE pg_visible_in_snapshot(xid, pg_current_snapshot())`);
      return new Set(rows.map(({ xid }) => xid));
    },

    close: () => client.end({ timeout: 2 }),
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

interface Look {
  readonly cursor: string;
  readonly inserted: string;
  readonly flushed: string;
  readonly awaited: boolean;
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
