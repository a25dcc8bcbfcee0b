// Brings a database to the schema of this version, once, however many gateways start together.
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { ADVISORY, lockKey } from './advisory-lock.js';

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Applies the migrations that are missing, under an advisory lock, and fixes the partition count while nothing is cached.
 * @throws when the database cannot be reached, is older than version 14, or has cached under another partition count.
 */
export async function migrate(url: string, partitions?: number): Promise<void> {
  const client = postgres(url, {
    max: 1,
    connect_timeout: 5,
    onnotice: () => {},
    connection: { application_name: 'espelho migrate' },
  });
  try {
    const db = drizzle(client);
    await requireVersion(client);
    await db.execute(sql`SELECT pg_advisory_lock(${lockKey(ADVISORY.migration)})`);
    await runMigrations(db, { migrationsFolder: FOLDER });
    if (partitions !== undefined) await fixPartitions(client, partitions);
  } finally {
    await client.end({ timeout: 2 });
  }
}

async function requireVersion(client: postgres.Sql): Promise<void> {
  const [row] = await client<{ version: number }[]>`SELECT current_setting('server_version_num')::int AS version`;
  if (!row || row.version < 140_000) {
    throw new Error('Espelho needs Postgres 14 or newer; point DATABASE_URL at such a server.');
  }
}

async function fixPartitions(client: postgres.Sql, partitions: number): Promise<void> {
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
