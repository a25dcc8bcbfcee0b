// The gateways at work on this database, each with a heartbeat: barriers need to know that one is alive, and a gateway
// with another store than the rest must not start.
import { sql } from 'drizzle-orm';
import type { Db, Query } from './connection.js';

/** A gateway counts as alive for this long after its last heartbeat. */
export const HEARTBEAT_LIFE_MS = 3_000;

/** Takes a gateway off the list that believes no store any more. */
export async function leave(query: Query, id: string): Promise<void> {
  await query(sql`DELETE FROM gateway WHERE id = ${id}::uuid`);
}

/** Whether any gateway is at work. One that is starting is not yet: two of them would wait for each other. */
export async function gatewaysAreAlive(query: Query): Promise<boolean> {
  const rows = await query(sql`SELECT FROM gateway WHERE alive_until > now() LIMIT 1`);
  return rows.length > 0;
}

export interface Installation {
  readonly id: string;
  readonly partitions: number;
}

/** What this database is to its caches. */
export async function findInstallation(query: Query): Promise<Installation> {
  const [found] = await query<Installation>(sql`SELECT id, partitions FROM installation`);
  if (!found) throw new Error('The table "installation" is empty; it was filled by the first migration and must stay.');
  return found;
}

/** Whether the caches caught up with everything committed so far, within `timeoutMs`; false too when no gateway is alive. */
export async function waitForBarrier(db: Db, timeoutMs = 10_000): Promise<boolean> {
  try {
    await db.execute(sql`SELECT cache_barrier(${timeoutMs} * interval '1 ms')`);
    return true;
  } catch {
    return false;
  }
}
