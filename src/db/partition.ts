// What Postgres holds the store to, partition by partition, and who has seen it. An epoch is closed before anybody may
// trust another one, and opened when nobody can still trust the one before.
import { sql } from 'drizzle-orm';
import type { Query } from './connection.js';
import { HEARTBEAT_LIFE_MS } from './gateway.js';

export interface PartitionEpoch {
  readonly partition: number;
  /** Empty until the partition is opened for the first time. */
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
  readonly open: boolean;
}

/** Whose looks these are: a gateway on the list of `gateway`, with the kind of its store. */
export interface GatewayIdentity {
  readonly id: string;
  readonly store: string;
}

/** What a gateway tells when it looks; the fields are the arguments of `gateway_renew`. */
export interface LeaseRenewing {
  readonly adopted: bigint;
  readonly trusted: readonly string[];
  readonly silent: readonly { readonly id: string; readonly beat: bigint }[];
}

/** An epoch to be closed; the fields are the arguments of `partition_close`. */
export interface EpochClosing {
  readonly partition: number;
  readonly epoch: string | undefined;
  readonly seenEpoch: string;
  readonly anew: boolean;
  readonly foreign: boolean;
}

export async function findPartitions(query: Query): Promise<readonly PartitionEpoch[]> {
  return query<PartitionEpoch>(
    sql`SELECT partition, incarnation, epoch::text, generation::text, open FROM entry_partition`,
  );
}

/**
 * One look at all partitions by a gateway, which is its lease; see `gateway_renew`. Undefined when the gateway was not on
 * the list: it is now, and looks again.
 */
export async function renewLease(
  query: Query,
  { id, store }: GatewayIdentity,
  { adopted, trusted, silent }: LeaseRenewing,
) {
  const silentPairs = JSON.stringify(silent.map(({ id, beat }) => [id, String(beat)]));
  const [look] = await query<Look>(sql`
    SELECT began::text, rows, others, ended::text FROM gateway_renew(
      ${id}::uuid, ${[store, ...trusted].join(' ')}, ${String(adopted)}::bigint, ${silentPairs}::text::json,
      ${HEARTBEAT_LIFE_MS} * interval '1 ms')`);
  if (!look?.rows || !look.others || !look.ended) return undefined;
  return {
    rows: look.rows.map(([partition, incarnation, epoch, generation, open]) => ({
      partition,
      incarnation,
      epoch,
      generation,
      open,
    })),
    others: look.others.map(([id, turn, beat]) => ({ id, turn: BigInt(turn), beat: BigInt(beat) })),
    began: BigInt(look.began),
    ended: BigInt(look.ended),
  };
}

/** Closes an epoch that is still in force; whether it did. */
export async function closeEpoch(query: Query, closing: EpochClosing, gatewayId: string): Promise<boolean> {
  const { partition, epoch, seenEpoch, anew, foreign } = closing;
  const [row] = await query<{ closed: boolean }>(sql`
    SELECT partition_close(${partition}, ${epoch ?? null}::bigint, ${seenEpoch}::bigint, ${anew}, ${foreign},
      ${gatewayId}::uuid) AS closed`);
  return row?.closed ?? false;
}

/**
 * Opens a closed epoch for one life of one master; false when it is open already, no longer in force, or held for longer
 * than a moment by writes that are about to commit. For some seconds from then on `closeForWrite` does not close it.
 */
export async function openEpoch(query: Query, opening: Omit<PartitionEpoch, 'open'>): Promise<boolean> {
  const { partition, epoch, incarnation, generation } = opening;
  const [row] = await query<{ opened: boolean }>(sql`
    SELECT partition_open(${partition}, ${epoch}::bigint, ${incarnation}, ${generation}::bigint) AS opened`);
  return row?.opened ?? false;
}

/**
 * Closes partitions for the transaction of `query`, which cannot fence what it changes there: nobody opens them before it
 * has ended. Resolves to the closed epochs, or to undefined where another gateway still trusts the store, or a gateway is
 * just learning to.
 */
export async function closeForWrite(
  query: Query,
  partitions: readonly number[],
  gatewayId: string,
): Promise<readonly Pick<PartitionEpoch, 'partition' | 'epoch'>[] | undefined> {
  const rows = await query<{ partition: number; epoch: string; inUse: boolean }>(sql`
    SELECT partition, epoch, in_use AS "inUse"
    FROM partitions_close(${sql.param([...partitions])}::int[], ${gatewayId}::uuid)`);
  if (rows.some(({ inUse }) => inUse)) return undefined;
  return rows.map(({ partition, epoch }) => ({ partition, epoch }));
}

interface Look {
  readonly began: string;
  /** Null where nothing was granted. */
  readonly rows: readonly (readonly [number, string, string, string, boolean])[] | null;
  readonly others: readonly (readonly [string, string, string])[] | null;
  readonly ended: string | null;
}
