// The servers that all sides share: one Postgres, one Redis, and in Postgres one database for each side. The plain
// side's has the same tables and rows, but no change log: nobody who caches by hand has one.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { migrate } from '../../src/db/index.js';
import { openEmbedded } from '../../src/embedded/index.js';
import { COLD, HOT, ITEMS } from './keys.js';

export interface Stores {
  readonly espelhoUrl: string;
  readonly plainUrl: string;
  readonly redisUrl: string;
  readonly close: () => Promise<void>;
}

/** Starts the servers on free ports, and fills both databases. */
export async function openStores(): Promise<Stores> {
  const folder = await mkdtemp(join(tmpdir(), 'espelho-bench-'));
  await chmod(folder, 0o755); // servers that are given to another user must pass through
  const servers = await openEmbedded(join(folder, 'home'), { redis: true });
  const close = async () => {
    await servers.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    if (!servers.where.data.startsWith(folder)) await rm(servers.where.data, { recursive: true, force: true });
  };
  try {
    if (servers.redis.kind === 'absent') throw new Error(`There is no Redis to measure: ${servers.redis.reason}.`);
    const espelhoUrl = databaseUrl(servers.databaseUrl, 'bench_espelho');
    const plainUrl = databaseUrl(servers.databaseUrl, 'bench_plain');
    const owner = postgres(servers.databaseUrl, { max: 1, onnotice: () => {} });
    await owner`CREATE DATABASE bench_espelho`;
    await migrate(espelhoUrl);
    await withDatabase(espelhoUrl, fill);
    await owner`CREATE DATABASE bench_plain TEMPLATE bench_espelho`;
    await owner.end();
    await withDatabase(plainUrl, dropChangeLog);
    for (const url of [espelhoUrl, plainUrl]) await withDatabase(url, (psql) => psql`VACUUM ANALYZE`);
    return { espelhoUrl, plainUrl, redisUrl: servers.redis.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

async function withDatabase(url: string, act: (psql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const psql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await act(psql);
  } finally {
    await psql.end();
  }
}

async function fill(psql: postgres.Sql): Promise<void> {
  await psql`INSERT INTO menus (key, locale, title)
    SELECT 'menu-' || menu, 'en', 'Menu ' || menu FROM generate_series(0, ${HOT + COLD - 1}::int) AS menu`;
  await psql`INSERT INTO menu_items (menu_id, key, parent_key, position, label, url)
    SELECT id, 'item-' || item, NULL, item, 'Label of item ' || item, '/' || menus.key || '/item-' || item
    FROM menus, generate_series(0, ${ITEMS - 1}::int) AS item`;
}

async function dropChangeLog(psql: postgres.Sql): Promise<void> {
  await psql.unsafe(`DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT tgname, tgrelid::regclass AS source FROM pg_trigger WHERE NOT tgisinternal LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.source);
    END LOOP; END $$`);
}
