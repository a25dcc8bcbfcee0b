// A transaction does not wait for its BEGIN: what its body asks for first follows at once. Should BEGIN fail, nothing of that
// changes anything.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { Link } from '../faults/link.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let link: Link;
let connection: Connection;

beforeAll(async () => {
  database = await createDatabase();
  await database.psql`CREATE TABLE begun (number int)`;
});
afterAll(() => database.close());
beforeEach(async () => {
  const target = new URL(database.url);
  link = await Link.open({ target: () => ({ host: target.hostname, port: Number(target.port) }) });
  const through = new URL(database.url);
  through.port = String(link.port);
  connection = connect({ url: through.href, maxWrites: 1 });
  await database.psql`TRUNCATE begun`;
});
afterEach(async () => {
  await connection.close();
  await link.close();
});

const kept = async () => (await database.psql<{ number: number }[]>`SELECT number FROM begun`).map((row) => row.number);

it('sends what its body asks for first before BEGIN was answered', async () => {
  await connection.db.execute(sql`SELECT 1`);
  let follows = () => {};
  const followed = new Promise<void>((resolve) => {
    follows = resolve;
  });
  link.taps.add((side, piece) => {
    if (side === 'requests' && piece.includes('INSERT INTO begun')) follows();
    return side === 'replies' ? followed : undefined;
  });
  await connection.db.transaction((tx) => tx.execute(sql`INSERT INTO begun VALUES (${1}::int)`));
  expect(await kept()).toEqual([1]);
});

it('changes nothing where BEGIN failed, whatever followed', async () => {
  await connection.db.execute(sql`SELECT 1`);
  link.taps.add((side, piece) => {
    const at = piece.indexOf('BEGIN READ WRITE');
    if (side === 'requests' && at >= 0) piece.write('BEGUN', at);
    return undefined;
  });
  const refused: unknown[] = [];
  const writing = connection.db.transaction(async (tx) => {
    const writes = [1, 2].map((number) => tx.execute(sql`INSERT INTO begun VALUES (${number}::int)`));
    for (const write of await Promise.allSettled(writes)) refused.push(write.status);
  });
  await expect(writing).rejects.toMatchObject({ code: '42601' });
  expect(refused).toEqual(['rejected', 'rejected']);
  expect(await kept()).toEqual([]);
});

it('is no transaction any more once one of its statements has failed, even where its body goes on', async () => {
  const writing = connection.db.transaction(async (tx) => {
    await tx.execute(sql`INSERT INTO begun VALUES (${1}::int)`);
    await tx.execute(sql`SELECT 1 / ${0}::int`).catch(() => {});
    return 'done';
  });
  await expect(writing).rejects.toThrow('rolled back');
  expect(await kept()).toEqual([]);
});

it('ends with its body: what that asks for afterwards is not sent', async () => {
  let late: (() => Promise<unknown>) | undefined;
  await connection.db.transaction(async (tx) => {
    await tx.execute(sql`INSERT INTO begun VALUES (${1}::int)`);
    late = async () => tx.execute(sql`INSERT INTO begun VALUES (${2}::int)`);
  });
  await expect(late?.()).rejects.toThrow();
  expect(await kept()).toEqual([1]);
});

it('is the only way to change anything', async () => {
  await expect(connection.db.execute(sql`INSERT INTO begun VALUES (${1}::int)`)).rejects.toMatchObject({
    cause: { code: '25006' },
  });
  expect(await kept()).toEqual([]);
});
