// What a session has planned once serves whatever values come: planning a statement again for each of them took longer than
// the statement itself.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { loadEntries } from '../../src/db/load.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url, maxReads: 1, maxWrites: 1 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

const TIMES = 7;
const PLANS = sql`SELECT generic_plans::int AS generic, custom_plans::int AS custom FROM pg_prepared_statements
  WHERE statement LIKE '%planned%' AND statement NOT LIKE '%pg_prepared_statements%'`;
const BODY = sql`SELECT title AS value, NULL::text[] AS members FROM menus AS planned WHERE planned.key = k.key`;

it('loads of entries', async () => {
  for (let time = 0; time < TIMES; time++) {
    await loadEntries(connection.query, 'menu', [`${time}:en`, `${time}:pt`].slice(time % 2), BODY);
  }
  expect(await connection.query(PLANS)).toEqual([{ generic: TIMES, custom: 0 }]);
});

it('statements of a transaction, those without parameters among them', async () => {
  await connection.db.transaction(async (tx) => {
    for (let time = 0; time < TIMES; time++) await tx.execute(sql`SELECT 1 AS planned`);
    for (let time = 0; time < TIMES; time++) await tx.execute(sql`SELECT ${time}::int AS planned`);
    const kept = (await tx.execute(PLANS)) as readonly object[];
    expect([...kept]).toEqual([
      { generic: TIMES, custom: 0 },
      { generic: TIMES, custom: 0 },
    ]);
  });
});

it('a plan that is made while its tables are empty goes by their indexes: it is kept while they grow', async () => {
  const statement = sql`EXPLAIN SELECT title FROM menus JOIN menu_items ON menu_id = menus.id WHERE menus.key = 'one'`;
  const lines = await connection.query<{ 'QUERY PLAN': string }>(statement);
  const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index/);
  expect(plan).not.toMatch(/Seq Scan/);
});
