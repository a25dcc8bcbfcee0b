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
  const views = [...new Set(roots.map((root) => root.view))].sort();
  // Sent together, but run one after the other.
  const locked = await Promise.all(
    views.map(async (view) => {
      const keys = roots.filter((root) => root.view === view).map(({ key }) => key);
      const rows = await query<{ key: string; version: string }>(
        sql`SELECT key, version::text FROM entry_locked(${view}, ${sql.param(keys)}::text[])`,
      );
      return rows.map(({ key, version }) => ({ view, key, version: BigInt(version) }));
    }),
  );
  return locked.flat();
}

/** The transaction's id and every entry that it has changed so far, found in the change log. Fires deferred constraints first. */
export async function changedRoots(tx: Tx): Promise<{ xid: string; changed: ChangedRoot[] }> {
  const rows = await txQuery(tx)<{ xid: string; view: string | null; key: string | null; version: string | null }>(sql`
    SELECT pg_current_xact_id()::text AS xid, view, key, version::text
    FROM (SELECT) AS one LEFT JOIN entries_changed() ON true`);
  return {
    xid: rows[0]?.xid ?? '',
    changed: rows.flatMap(({ view, key, version }) =>
      view && key !== null && version ? [{ view, key, version }] : [],
    ),
  };
}
