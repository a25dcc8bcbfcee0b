// The writers' side of the change log: locking root rows in order, and reading back which entries a transaction changed.
import { sql } from 'drizzle-orm';
import { type Tx, txQuery } from './connection.js';

export interface Root {
  readonly view: string;
  readonly key: string;
}

export interface LockedRoot extends Root {
  readonly version: bigint;
}

export interface ChangedRoot extends Root {
  readonly version: string;
}

/** Locks `roots` until the transaction ends, in view and key order whatever order they come in; missing ones are made. */
export async function lockRoots(tx: Tx, roots: readonly Root[]): Promise<LockedRoot[]> {
  const query = txQuery(tx);
  const locked: LockedRoot[] = [];
  for (const view of [...new Set(roots.map((root) => root.view))].sort()) {
    const keys = roots.filter((root) => root.view === view).map(({ key }) => key);
    // Sent together, but run one after the other: what the second sees is locked.
    const [, rows] = await Promise.all([
      query(sql`SELECT entry_lock(${view}, ${sql.param(keys)}::text[])`),
      query<{ key: string; version: string }>(
        sql`SELECT key, version::text FROM entry WHERE view = ${view} AND key = ANY (${sql.param(keys)}::text[])`,
      ),
    ]);
    locked.push(...rows.map((row) => ({ view, key: row.key, version: BigInt(row.version) })));
  }
  return locked;
}

/** The transaction's id and every entry that it has changed so far, found in the change log. Fires deferred constraints first. */
export async function changedRoots(tx: Tx): Promise<{ xid: string; changed: ChangedRoot[] }> {
  const query = txQuery(tx);
  const immediate = query(sql`SET CONSTRAINTS ALL IMMEDIATE`);
  const looked = query<{ xid: string; view: string | null; key: string | null; version: string | null }>(sql`
    SELECT pg_current_xact_id()::text AS xid, view, key, version::text
    FROM (SELECT) AS one LEFT JOIN entry ON xid = pg_current_xact_id() AND version > 0`);
  const [, rows] = await Promise.all([immediate, looked]);
  return {
    xid: rows[0]?.xid ?? '',
    changed: rows.flatMap(({ view, key, version }) =>
      view && key !== null && version ? [{ view, key, version }] : [],
    ),
  };
}
