// A few sessions are shared out: statements that are asked for at once get as many as there may be, transactions one each,
// in the order in which they came.
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

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

it('of several hosts, the one that answered is gone on with', async () => {
  const { host, pathname, username, password } = new URL(database.url);
  const credentials = password ? `${username}:${password}` : username;
  connection = connect({ url: `postgres://${credentials}@127.0.0.1:1,${host}${pathname}`, maxReads: 3, maxWrites: 1 });
  const refused = await connection.query(backend).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  await eventually(() => connection.query(backend).catch(() => false));
  const pids = await Promise.all([1, 2, 3].map(() => connection.query<{ pid: number }>(backend)));
  expect(new Set(pids.map(([row]) => row?.pid)).size).toBe(3);
});

it('while no further session can be opened, statements share those that there are', async () => {
  const role = `narrow_${randomBytes(6).toString('hex')}`;
  await database.psql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1`);
  try {
    const url = new URL(database.url);
    url.username = role;
    url.password = 'narrow';
    connection = connect({ url: url.href, maxReads: 3, maxWrites: 1 });
    const isAnswered = () =>
      connection.query(backend).then(
        () => true,
        () => false,
      );
    await eventually(isAnswered);
    await eventually(async () => {
      const held = connection.query(sql`SELECT pg_sleep(0.3)`);
      await isAnswered(); // asks for a second session in vain, and for a moment the others know it
      const answered = await Promise.all([isAnswered(), isAnswered(), isAnswered()]);
      await held.catch(() => {});
      return answered.every((is) => is);
    });
  } finally {
    await connection.close();
    await database.psql.unsafe(`DROP ROLE ${role}`);
  }
});
