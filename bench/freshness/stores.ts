// The servers that all sides share: one Postgres, one Redis, and in Postgres one database for each side. The plain
// side's has the same tables and rows, but no change log: nobody who caches by hand has one.
import type postgres from 'postgres';
import { migrate } from '../../src/db/index.js';
import { copyWithoutChangeLog, databaseUrlOf, openServers, withDatabase } from '../support/servers.js';
import { COLD, HOT, ITEMS } from './keys.js';

export interface Stores {
  readonly espelhoUrl: string;
  readonly plainUrl: string;
  readonly redisUrl: string;
  readonly close: () => Promise<void>;
}

/** Starts the servers on free ports, and fills both databases. */
export async function openStores(): Promise<Stores> {
  const { databaseUrl, redisUrl, close } = await openServers();
  try {
    const espelhoUrl = databaseUrlOf(databaseUrl, 'bench_espelho');
    await withDatabase(databaseUrl, (psql) => psql`CREATE DATABASE bench_espelho`);
    await migrate(espelhoUrl);
    await withDatabase(espelhoUrl, fill);
    const plainUrl = await copyWithoutChangeLog(databaseUrl, 'bench_espelho', 'bench_plain');
    for (const url of [espelhoUrl, plainUrl]) await withDatabase(url, (psql) => psql`VACUUM ANALYZE`);
    return { espelhoUrl, plainUrl, redisUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fill(psql: postgres.Sql): Promise<void> {
  await psql`INSERT INTO menus (key, locale, title)
    SELECT 'menu-' || menu, 'en', 'Menu ' || menu FROM generate_series(0, ${HOT + COLD - 1}::int) AS menu`;
  await psql`INSERT INTO menu_items (menu_id, key, parent_key, position, label, url)
    SELECT id, 'item-' || item, NULL, item, 'Label of item ' || item, '/' || menus.key || '/item-' || item
    FROM menus, generate_series(0, ${ITEMS - 1}::int) AS item`;
}
