// A worker's ways to its own Postgres, which it may crash.
import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import type { PostgresChangeLog } from '../../src/db/change-log.js';
import type { Connection } from '../../src/db/connection.js';

export interface RealDatabase {
  readonly client: postgres.Sql;
  readonly monitor: postgres.Sql;
  readonly connection: Connection;
  /** Of nobody on the list of gateways. */
  readonly changeLog: PostgresChangeLog;
}

const RETRY_MS = 20;

/** Kills a session, upon which Postgres ends all others, and recovers from the WAL that is on disk. */
export async function crash({ client }: RealDatabase): Promise<void> {
  const [session] = await client<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  if (session) process.kill(session.pid, 'SIGKILL');
}

/** Resolves once every way leads to Postgres again. */
export async function recovered({ client, monitor, connection, changeLog }: RealDatabase): Promise<void> {
  const one = sql`SELECT 1`;
  const ways = [
    () => client`SELECT 1`,
    () => monitor`SELECT 1`,
    () => connection.query(one),
    () => connection.db.execute(one),
    () => changeLog.query(one),
  ];
  for (const way of ways) while (!(await answers(way))) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

const answers = async (way: () => PromiseLike<unknown>): Promise<boolean> => {
  try {
    await way();
    return true;
  } catch {
    return false;
  }
};
