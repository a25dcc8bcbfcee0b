// The seals of the audit log: the table and every statement on it. A seal lists the changes of a stretch of the log, each
// with its digest, and is chained to the seal before it.
import { sql } from 'drizzle-orm';
import { bigint, customType, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { ADVISORY, lockKey } from './advisory-lock.js';
import type { PlacedChange, SealContent } from './audit-signer.js';
import { type Query, type Tx, txQuery } from './connection.js';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const auditSeals = pgTable('audit_seals', {
  /** 1, 2, 3 … without gaps. */
  number: bigint({ mode: 'bigint' }).primaryKey(),
  sealedAt: timestamp('sealed_at', { withTimezone: true }).notNull(),
  after: bigint({ mode: 'bigint' }).notNull(),
  upTo: bigint('up_to', { mode: 'bigint' }).notNull(),
  unsignedTo: bigint('unsigned_to', { mode: 'bigint' }).notNull(),
  /** Places in the log, between commas. */
  sequences: text().notNull(),
  tags: bytea().notNull(),
  /** Which key has signed. */
  keyId: text('key_id').notNull(),
  previous: bytea().notNull(),
  tag: bytea().notNull(),
});

export interface Seal extends SealContent {
  readonly keyId: string;
  readonly tag: Uint8Array;
}

/** A change as it stands in the log, with the digest that it was written with, if any. */
export interface LoggedChange extends PlacedChange {
  readonly tag: Uint8Array | null;
}

const SEAL =
  sql.raw(`number::text, floor(extract(epoch FROM sealed_at) * 1000)::bigint::text AS "sealedAtMs", after::text,
  up_to::text AS "upTo", unsigned_to::text AS "unsignedTo", sequences, tags, key_id AS "keyId", previous, tag`);

type SealRow = Omit<Seal, 'sequences'> & { readonly sequences: string };

const sealOf = ({ sequences, ...row }: SealRow): Seal => ({
  ...row,
  sequences: sequences === '' ? [] : sequences.split(','),
});

/** The last seal. */
export async function findLastSeal(query: Query): Promise<Seal | undefined> {
  const [row] = await query<SealRow>(sql`SELECT ${SEAL} FROM audit_seals ORDER BY audit_seals.number DESC LIMIT 1`);
  return row && sealOf(row);
}

/** Seals in order, after number `after`; at most `limit`. */
export async function findSeals(query: Query, after: string, limit: number): Promise<readonly Seal[]> {
  const rows = await query<SealRow>(
    sql`SELECT ${SEAL} FROM audit_seals WHERE number > ${after}::bigint ORDER BY audit_seals.number LIMIT ${limit}`,
  );
  return rows.map(sealOf);
}

/** The place of the newest change; undefined in an empty log. */
export async function findNewestPlace(query: Query): Promise<string | undefined> {
  const [row] = await query<{ newest: string | null }>(sql`SELECT max(sequence)::text AS newest FROM changes`);
  return row?.newest ?? undefined;
}

/**
 * The transactions that may still add a change before what is newest in the log. Each takes this lock before it draws a
 * place and keeps it to its end, so who is not listed after a place was seen adds nothing below it.
 */
export async function findWriters(query: Query): Promise<readonly string[]> {
  const rows = await query<{ writer: string }>(sql`
    SELECT DISTINCT virtualtransaction AS writer FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'changes'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  return rows.map(({ writer }) => writer);
}

/** Changes in order, after place `after` up to `upTo`, each if given; at most `limit`. */
export function findLoggedChanges(
  query: Query,
  after: string,
  upTo: string | undefined,
  limit: number,
): Promise<readonly LoggedChange[]> {
  const end = upTo === undefined ? sql`` : sql`AND sequence <= ${upTo}::bigint`;
  return query(sql`
    SELECT sequence::text, (extract(epoch FROM at) * 1000000)::bigint::text AS "atUs", id::text, actor, action, domain, key,
      reason, before, after, tag
    FROM changes WHERE sequence > ${after}::bigint ${end} ORDER BY changes.sequence LIMIT ${limit}`);
}

/** How many changes there are after a place, and how old the first of them is, in milliseconds. */
export async function countUnsealed(query: Query, after: string) {
  const [row] = await query<{ count: string; ageMs: string | null }>(sql`
    SELECT count(*)::text AS count, floor(extract(epoch FROM clock_timestamp() - min(at)) * 1000)::bigint::text AS "ageMs"
    FROM changes WHERE sequence > ${after}::bigint`);
  return { count: Number(row?.count ?? 0), ageMs: Number(row?.ageMs ?? 0) };
}

/** Whether this transaction, and no other until it ends, may add a seal. */
export async function mayAddSeal(tx: Tx): Promise<boolean> {
  const [row] = await txQuery(tx)<{ alone: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${lockKey(ADVISORY.audit)}) AS alone`,
  );
  return row?.alone ?? false;
}

export async function insertSeal(tx: Tx, seal: Seal): Promise<void> {
  await tx.insert(auditSeals).values({
    number: BigInt(seal.number),
    sealedAt: new Date(Number(seal.sealedAtMs)),
    after: BigInt(seal.after),
    upTo: BigInt(seal.upTo),
    unsignedTo: BigInt(seal.unsignedTo),
    sequences: seal.sequences.join(','),
    tags: seal.tags,
    keyId: seal.keyId,
    previous: seal.previous,
    tag: seal.tag,
  });
}
