// Gateways on one database must share one store: two private caches would not hear of each other's writes. A gateway
// with the in-process store holds a lock alone; gateways with Redis hold it together.
import { sql } from 'drizzle-orm';
import { ADVISORY, lockKey, lockRow } from './advisory-lock.js';
import type { Query } from './connection.js';

const LOCK = lockKey(ADVISORY.store);
const HELD = lockRow(ADVISORY.store);

/** Takes the lock for this session, or finds that the session has it. False while others hold it in a way that excludes it. */
export async function claimStore(query: Query, kind: 'redis' | 'memory'): Promise<boolean> {
  const claim = kind === 'memory' ? sql`pg_try_advisory_lock(${LOCK})` : sql`pg_try_advisory_lock_shared(${LOCK})`;
  const [row] = await query<{ claimed: boolean }>(sql`
    SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE ${HELD} AND pid = pg_backend_pid())
      THEN true ELSE ${claim} END AS claimed`);
  return row?.claimed ?? false;
}
