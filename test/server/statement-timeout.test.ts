// How long Postgres works on a statement of a request.

import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { connect, DatabaseUnavailable } from '../../src/db/index.js';
import { codedError } from '../../src/schema/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

let database: TestDatabase;
let connection: ReturnType<typeof connect>;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url, statementTimeoutMs: 250 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

it('is two seconds, unless it is set', () => {
  expect(readConfig({}, [], '/').edge.statementMs).toBe(2_000);
  expect(readConfig({ ESPELHO_LIMIT_STATEMENT_MS: '250' }, [], '/').edge.statementMs).toBe(250);
});

it('is told to Postgres on every session that requests use', async () => {
  const { query, bareQuery, queryAs, db } = connection;
  const asked = sql<{ statement_timeout: string }>`SHOW statement_timeout`;
  const told = [await query(asked), await bareQuery(asked), await queryAs('any')(asked)];
  for (const rows of told) expect(rows).toEqual([{ statement_timeout: '250ms' }]);
  expect(await db.transaction(async (tx) => [...(await tx.execute(asked))])).toEqual([{ statement_timeout: '250ms' }]);
});

it('ends a statement for good, and its client is told to try again', async () => {
  const failure = await connection.query(sql`SELECT pg_sleep(600) AS marked`).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DatabaseUnavailable);
  expect(codedError(failure)?.extensions.code).toBe('UNAVAILABLE');
  await eventually(async () => {
    const working = await database.psql`
      SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%600) AS marked%' AND pid <> pg_backend_pid()`;
    return working.length === 0;
  });
});
