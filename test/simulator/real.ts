// The real tier: the same schedules over the scripts in real redis-servers and the functions in a real Postgres. Each worker
// has two redis-servers and a database of its own; each schedule, another installation in them.
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { openChangeLog } from '../../src/db/change-log.js';
import { connect } from '../../src/db/connection.js';
import { migrate } from '../../src/db/migrate.js';
import { RealRedis } from './real-redis.js';
import { RealSite } from './real-site.js';
import { RealSql } from './real-sql.js';
import { createTables, emptyTables } from './real-tables.js';
import type { Tier } from './servers.js';
import { placeOf } from './views.js';

/** Where one worker's servers are. */
export interface RealServers {
  /** Of the superuser, on the maintenance database. */
  readonly databaseUrl: string;
  readonly redisSockets: readonly [string, string];
}

const RECONNECT_SECONDS = 0.02;

export interface RealTier {
  readonly tier: Tier;
  readonly close: () => Promise<void>;
}

/** Makes the worker's database, by the migrations that its program was bundled with. */
export async function openRealTier({ databaseUrl, redisSockets }: RealServers): Promise<RealTier> {
  const name = `simulator_${randomBytes(6).toString('hex')}`;
  const owner = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await owner.unsafe(`CREATE DATABASE ${name}`);
  // Nothing here outlives the run.
  await owner.unsafe('ALTER SYSTEM SET fsync = off');
  // What no commit has written to disk stays off it until the schedule says so.
  await owner.unsafe("ALTER SYSTEM SET wal_writer_delay = '10s'");
  await owner.unsafe('SELECT pg_reload_conf()');
  const url = Object.assign(new URL(databaseUrl), { pathname: name }).href;
  await migrate(url);
  const database = {
    client: postgres(url, { max: 1, onnotice: () => {}, backoff: () => RECONNECT_SECONDS }),
    monitor: postgres(url, { max: 1, onnotice: () => {}, backoff: () => RECONNECT_SECONDS }),
    connection: connect({ url, maxReads: 8, maxWrites: 12 }),
    changeLog: openChangeLog(url),
  };
  await createTables(database.client);
  const pair = [await RealRedis.open(redisSockets[0]), await RealRedis.open(redisSockets[1])] as const;
  const tier: Tier = async ({ scheduler, dice, entries, partitions, ...told }) => {
    const installation = randomBytes(4).toString('hex');
    const nowMs = () => scheduler.nowMs;
    await emptyTables(database.client, installation, partitions);
    const places = entries.map(({ view, key }) => ({ view, key, partition: placeOf(view, key, partitions) }));
    const held = { installation, places, nowMs };
    const sql = new RealSql(database, nowMs, { ...told, dice });
    return { sites: [await RealSite.begin(pair, held, dice)], sql, close: () => sql.close() };
  };
  const close = async () => {
    for (const redis of pair) redis.close();
    const { client, monitor, connection, changeLog } = database;
    await Promise.all([client.end(), monitor.end(), connection.close(), changeLog.close()]);
    await owner.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
    await owner.end();
  };
  return { tier, close };
}
