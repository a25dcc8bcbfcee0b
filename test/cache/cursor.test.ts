// The cursor that a generation begins at: no crash of Postgres may undo what it has seen, or give its ids to others.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChangeLog, type PostgresChangeLog } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let changeLog: PostgresChangeLog;
beforeAll(async () => {
  database = await createDatabase();
  changeLog = openChangeLog(database.url);
});
afterAll(async () => {
  await changeLog.close();
  await database.close();
});

it('is given out once the log is on disk up to it, also where nobody else waits for the disk', async () => {
  for (let time = 0; time < 20; time++) {
    const inserted = await database.psql.begin(async (tx) => {
      await tx`SET LOCAL synchronous_commit = off`;
      const [row] = await tx`SELECT pg_logical_emit_message(true, 'test', ${String(time)}) - '0/0' AS lsn`;
      return BigInt(row?.lsn);
    });
    await changeLog.now();
    const [row] = await database.psql`SELECT pg_current_wal_flush_lsn() - '0/0' AS lsn`;
    expect(BigInt(row?.lsn)).toBeGreaterThanOrEqual(inserted);
  }
});
