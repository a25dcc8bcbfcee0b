// A few sessions are shared out: statements that are asked for at once get as many as there may be, transactions one each,
// in the order in which they came.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.close());
afterEach(() => connection.close());

const backend = sql`SELECT pg_backend_pid() AS pid`;

it('statements at once use every session there may be, and one after the other the same', async () => {
  connection = connect({ url: database.url, maxReads: 2 });
  const atOnce = await Promise.all(Array.from({ length: 6 }, () => connection.query<{ pid: number }>(backend)));
  const pids = new Set(atOnce.map(([row]) => row?.pid));
  expect(pids.size).toBe(2);
  const [first] = await connection.query<{ pid: number }>(backend);
  const [second] = await connection.query<{ pid: number }>(backend);
  expect(second?.pid).toBe(first?.pid);
  expect(pids).toContain(first?.pid);
});

it('transactions wait for a session of their own, and get it in the order in which they came', async () => {
  connection = connect({ url: database.url, maxWrites: 1 });
  const began: number[] = [];
  let atWork = 0;
  const transactions = Array.from({ length: 7 }, (_, at) =>
    connection.db.transaction(async (tx) => {
      began.push(at);
      expect(++atWork).toBe(1);
      const [mine] = await tx.execute<{ pid: number }>(backend);
      const [still] = await tx.execute<{ pid: number }>(backend);
      expect(still).toEqual(mine);
      atWork--;
      if (at === 3) throw new Error('on purpose');
    }),
  );
  const ends = await Promise.allSettled(transactions);
  expect(ends.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true, true]);
  expect(began).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it('a statement that Postgres refuses leaves its session as good as before', async () => {
  connection = connect({ url: database.url, maxReads: 1, maxWrites: 1 });
  const [before] = await connection.query<{ pid: number }>(backend);
  await expect(connection.query(sql`SELECT 1 / 0`)).rejects.toMatchObject({ code: 'DATABASE_ERROR', state: '22012' });
  expect(await connection.query(backend)).toEqual([before]);
  const rows = await connection.db.select({ pid: sql<number>`pg_backend_pid()` }).from(sql`(VALUES (1)) AS one`);
  expect(rows).toHaveLength(1);
});

it('a Postgres that is not there fails statements and transactions alike, and at once', async () => {
  const nowhere = new URL(database.url);
  nowhere.port = '1';
  connection = connect({ url: nowhere.href, maxReads: 1, maxWrites: 1 });
  const refused = { code: 'UNAVAILABLE' };
  await expect(connection.query(backend)).rejects.toMatchObject(refused);
  await expect(connection.query(backend)).rejects.toMatchObject(refused);
  await expect(connection.db.transaction(async () => {})).rejects.toThrow();
});
