// What became of a COMMIT without an answer: nothing is told of a transaction that may still commit.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcomeOf } from '../../src/db/change.js';
import { type Connection, connect } from '../../src/db/connection.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

it('a transaction that is still in progress is not called aborted until it has ended', async () => {
  const session = await database.psql.reserve();
  await session`BEGIN`;
  const [row] = await session<{ xid: string }[]>`SELECT pg_current_xact_id()::text AS xid`;
  const xid = row?.xid ?? '';
  const asked = (withinMs: number) => outcomeOf(connection.query, xid, randomUUID(), Date.now() + withinMs);
  await expect(asked(100)).rejects.toThrow('in progress');
  await session`ROLLBACK`;
  session.release();
  expect(await asked(30_000)).toBe('aborted');
});
