// A lost connection to Postgres ends what was running on it, and nothing else: not the process, not another transaction,
// not the pool.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Connection, connect, type Tx, txQuery } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  await database.psql`CREATE TABLE written (by text)`;
});
afterAll(() => database.close());
beforeEach(() => {
  connection = connect({ url: database.url, maxReads: 1, maxWrites: 1 });
});
afterEach(async () => {
  await connection.close();
  await database.psql`TRUNCATE written`;
});

const insert = (tx: Tx, by: string) => txQuery(tx)(sql`INSERT INTO written VALUES (${by})`);
const written = async () => (await database.psql`SELECT by FROM written ORDER BY by`).map(({ by }) => by);
const terminate = () =>
  database.psql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'espelho'`;

/** Lost as its caller hears it; what the body goes on to do is under test. */
async function lose(body: (tx: Tx) => Promise<void>): Promise<void> {
  await expect(connection.db.transaction(body)).rejects.toThrow();
}

it('with a statement at work: the transaction fails, and the next one works', async () => {
  await lose(async (tx) => {
    await insert(tx, 'lost');
    const sleeping = txQuery(tx)(sql`SELECT pg_sleep(10)`);
    sleeping.catch(() => {}); // it may fail before it is awaited below
    await eventually(
      async () =>
        (
          await database.psql`
            SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`
        ).length > 0,
    );
    await terminate();
    await sleeping;
  });
  await eventually(() =>
    connection.db
      .transaction((tx) => insert(tx, 'next'))
      .then(
        () => true,
        () => false,
      ),
  );
  expect(await written()).toEqual(['next']);
});

it('between statements: what the body still does goes nowhere, not into the transaction that is next', async () => {
  let goOn = () => {};
  const paused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let refusal: unknown;
  const late = { ended: false };
  await lose(async (tx) => {
    await insert(tx, 'lost');
    await terminate();
    await paused.catch(() => {});
    refusal = await insert(tx, 'late').catch((error) => error);
    late.ended = true;
  });
  await eventually(() =>
    connection.db
      .transaction((tx) => insert(tx, 'first'))
      .then(
        () => true,
        () => false,
      ),
  );
  await expect(
    connection.db.transaction(async (tx) => {
      await insert(tx, 'rolled back');
      goOn();
      await eventually(() => late.ended);
      throw new Error('on purpose');
    }),
  ).rejects.toThrow('on purpose');
  expect(refusal).toBeInstanceOf(Error);
  expect(await written()).toEqual(['first']);
});

it('again and again under load: every connection of the pool comes back at once', async () => {
  await connection.close();
  connection = connect({ url: database.url, maxReads: 4, maxWrites: 2 });
  let over = false;
  const { query, db } = connection;
  const until = async (act: () => Promise<unknown>) => {
    while (!over) await act().catch(() => new Promise((resolve) => setTimeout(resolve, 5)));
  };
  const actors = [
    ...Array.from({ length: 16 }, () => until(() => query(sql`SELECT 1`))),
    ...Array.from({ length: 4 }, () => until(() => db.transaction((tx) => insert(tx, 'x')))),
  ];
  for (let time = 0; time < 15; time++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await terminate();
  }
  const working = async () => {
    const probes = Array.from({ length: 4 }, () => query(sql`SELECT pg_sleep(0.05)`));
    return (await Promise.allSettled(probes)).every(({ status }) => status === 'fulfilled');
  };
  await eventually(working, 8_000); // left to itself, the driver would wait for longer than 10 s
  over = true;
  await Promise.all(actors);
});
