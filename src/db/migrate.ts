// Brings a database to the schema of this version, once, however many gateways start together.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { ADVISORY, lockKey } from './advisory-lock.js';
import { DatabaseUnavailable } from './errors.js';

/** For what is quick in every database. How long a migration takes, nobody knows. */
const ANSWER_MS = 10_000;
const LOCK_POLL_MS = 200;
/** Seconds after which either side looks whether the other is still there: who vanishes does not keep the lock. */
const KEEP_ALIVE_SECONDS = 5;
const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Applies the migrations that are missing, under an advisory lock, and fixes the partition count while nothing is cached.
 * Where nothing is missing it takes no right but to read.
 * @throws when the role may not change the database and would have to; when the database cannot be reached or does not
 * answer, is older than version 14, or has cached under another partition count.
 */
export async function migrate(url: string, partitions?: number): Promise<void> {
  const client = postgres(url, {
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
    onnotice: () => {},
    keep_alive: KEEP_ALIVE_SECONDS,
    connection: {
      application_name: 'espelho migrate',
      tcp_keepalives_idle: KEEP_ALIVE_SECONDS,
      tcp_keepalives_interval: 2,
      tcp_keepalives_count: 3,
    },
  });
  try {
    const db = drizzle(client);
    await inTime(requireVersion(client));
    if (!(await inTime(isCurrent(client)))) {
      while (!(await inTime(takeLock(db)))) await sleep(LOCK_POLL_MS);
      await runMigrations(db, { migrationsFolder: FOLDER }).catch(explainMissingRight);
    }
    if (partitions !== undefined) await fixPartitions(client, partitions);
  } finally {
    await client.end({ timeout: 2 });
  }
}

/** False while another one migrates. */
async function takeLock(db: PostgresJsDatabase): Promise<boolean> {
  const [row] = await db.execute<{ taken: boolean }>(
    sql`SELECT pg_try_advisory_lock(${lockKey(ADVISORY.migration)}) AS taken`,
  );
  return row?.taken ?? false;
}

/** What `pending` comes to. @throws {DatabaseUnavailable} when it does not: a link may stand and carry nothing. */
async function inTime<Result>(pending: Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const late = sleep(ANSWER_MS, undefined, { signal: over.signal }).then(() => {
    throw new DatabaseUnavailable('Postgres did not answer in time; try again.');
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    over.abort();
    for (const each of [pending, late]) each.catch(() => {});
  }
}

async function requireVersion(client: postgres.Sql): Promise<void> {
  const [row] = await client<{ version: number }[]>`SELECT current_setting('server_version_num')::int AS version`;
  if (!row || row.version < 140_000) {
    throw new Error('Espelho needs Postgres 14 or newer; point DATABASE_URL at such a server.');
  }
}

/** Whether the newest migration has been applied, as the migrator has noted it. */
async function isCurrent(client: postgres.Sql): Promise<boolean> {
  const [known] = await client<{ noted: boolean }[]>`SELECT EXISTS (
    SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'drizzle' AND relname = '__drizzle_migrations') AS noted`;
  if (!known?.noted) return false;
  const [last] = await client<{ at: string | null }[]>`
    SELECT max(created_at)::text AS at FROM drizzle.__drizzle_migrations`;
  return Number(last?.at ?? 0) >= (readMigrationFiles({ migrationsFolder: FOLDER }).at(-1)?.folderMillis ?? 0);
}

/** SQLSTATE of a statement that the role has no right to. */
const MISSING_RIGHT = '42501';

function explainMissingRight(error: unknown): never {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof postgres.PostgresError) || cause.code !== MISSING_RIGHT) throw error;
  throw new Error(
    'The database is behind this version of Espelho, and the role in DATABASE_URL may not change it: run "espelho migrate" as the role that owns its tables.',
  );
}

async function fixPartitions(client: postgres.Sql, partitions: number): Promise<void> {
  const [standing] = await client<{ partitions: number }[]>`SELECT partitions FROM installation`;
  if (standing?.partitions === partitions) return;
  await client`UPDATE installation SET partitions = ${partitions} WHERE NOT EXISTS (SELECT FROM entry)
    AND NOT EXISTS (SELECT FROM gateway WHERE alive_until > now())`;
  await client`DELETE FROM entry_partition USING installation WHERE partition >= partitions`;
  const [row] = await client<{ partitions: number }[]>`SELECT partitions FROM installation`;
  if (row && row.partitions !== partitions) {
    throw new Error(
      `This database was first used with ${row.partitions} partitions, which stays; set ESPELHO_PARTITIONS=${row.partitions}.`,
    );
  }
}
