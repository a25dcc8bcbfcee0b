// cache_barrier(timeout): for whoever writes by SQL and must know when every gateway shows it.
import type { SQL } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, migrate, waitForBarrier } from '../../src/db/index.js';
import { isCarriedOver } from '../../src/resolvers/carried-over.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';

describe.each(['redis', 'memory'] as const)('cache_barrier with %s', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes VALUES ('a', '0')`;
    gateway = await openGateway(database, { store });
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });

  it('returns once the next read shows everything that was committed before', async () => {
    for (let round = 1; round <= 20; round++) {
      await gateway.note('a');
      await database.psql`UPDATE notes SET text = ${String(round)} WHERE key = 'a'`;
      await database.psql`SELECT cache_barrier('30 seconds')`;
      expect(await gateway.note('a')).toBe(String(round));
    }
  });

  it('waits for a relay that is behind', async () => {
    const look = gateway.atRelay.close('look');
    await look.reached;
    await database.psql`UPDATE notes SET text = 'late' WHERE key = 'a'`;
    let returned = false;
    const barrier = database.psql`SELECT cache_barrier('30 seconds')`.then(() => {
      returned = true;
    });
    await eventually(async () => {
      const [row] = await database.psql`SELECT count(*)::int FROM pg_locks
        WHERE locktype = 'advisory' AND objid = 1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      return row?.count > 0;
    });
    expect(returned).toBe(false);
    look.open();
    await barrier;
    expect(await gateway.note('a')).toBe('late');
  });

  it('errors when the cache does not catch up in time, and says what to look at', async () => {
    const look = gateway.atRelay.close('look');
    await look.reached;
    await database.psql`UPDATE notes SET text = 'never' WHERE key = 'a'`;
    await expect(database.psql`SELECT cache_barrier('50 milliseconds')`).rejects.toThrow(
      'The cache did not catch up within 00:00:00.05; is the gateway connected to its Redis?',
    );
    look.open();
    await database.psql`SELECT cache_barrier('30 seconds')`;
  });

  it('is not held up by a transaction that began before it and is still open', async () => {
    await database.psql.begin(async (session) => {
      await session`INSERT INTO notes VALUES ('open', 'text') ON CONFLICT (key) DO UPDATE SET text = excluded.text`;
      await database.psql`SELECT cache_barrier('30 seconds')`;
    });
  });

  it('refuses inside a transaction that has written: it could not wait for itself', async () => {
    const inside = database.psql.begin(async (session) => {
      await session`UPDATE notes SET text = 'inside' WHERE key = 'a'`;
      await session`SELECT cache_barrier('1 second')`;
    });
    await expect(inside).rejects.toThrow('cache_barrier must run by itself after COMMIT');
    const frozen = database.psql.begin('ISOLATION LEVEL REPEATABLE READ', async (session) => {
      await session`SELECT cache_barrier('1 second')`;
    });
    await expect(frozen).rejects.toThrow('cache_barrier must run by itself after COMMIT');
  });

  it('tells a bulk write whether it is visible', async () => {
    await database.psql`INSERT INTO notes SELECT 'bulk ' || n, 'text' FROM generate_series(1, 1000) AS n`;
    expect(await waitForBarrier(gateway.connection.db)).toBe(true);
  });

  it('lets a bulk write go at the first look when its gateway has lost the store', async () => {
    const lost = await openGateway(database, { redisUrl: 'redis://127.0.0.1:1', start: false, leads: false });
    const look = await gateway.holdRelay();
    await database.psql`INSERT INTO notes SELECT 'more ' || n, 'text' FROM generate_series(1, 1000) AS n`;
    const asked: unknown[] = [];
    const { db } = lost.connection;
    const counting = Object.assign(Object.create(db), {
      execute: (query: SQL) => {
        asked.push(query);
        return db.execute(query);
      },
    });
    expect(await isCarriedOver({ cache: lost.cache, db: counting })).toBe(false);
    expect(asked).toHaveLength(1);
    look.open();
    await eventually(() => isCarriedOver({ cache: gateway.cache, db }));
    await lost.close();
  });

  it('errors when no gateway is alive, and says what to do', async () => {
    await gateway.close();
    await expect(database.psql`SELECT cache_barrier()`).rejects.toThrow(
      'No gateway is alive, so nothing carries changes to the cache; start one, or skip the barrier',
    );
    const connection = connect({ url: database.url });
    expect(await waitForBarrier(connection.db)).toBe(false);
    await connection.close();
  });
});

it('cache_barrier returns although the partition count was changed before the first use', async () => {
  const database = await createDatabase({ partitions: 16 });
  await createNotes(database);
  await (await openGateway(database)).close();
  await migrate(database.url, 4);
  const gateway = await openGateway({ ...database, partitions: 4 });
  await database.psql`INSERT INTO notes VALUES ('a', 'text')`;
  await database.psql`UPDATE gateway SET alive_until = now() + interval '1 hour'`;
  await database.psql`SELECT cache_barrier('30 seconds')`;
  await gateway.close();
  await database.close();
});
