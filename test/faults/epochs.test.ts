// What may be read around the replacement of an epoch is explained by it, and nothing else is.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { Epochs } from './epochs.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await database.psql`INSERT INTO entry_partition (partition, incarnation, epoch, generation, open)
    VALUES (0, 'life', 1, 1, true), (1, 'life', 1, 1, true)`;
});
afterAll(() => database.close());

it('explains a read after a closing, and no read before it', async () => {
  const epochs = new Epochs(() => database.psql);
  const watching = epochs.watch();
  const now = () => ({ fromMs: performance.now(), untilMs: performance.now() });
  const before = now();
  expect(await epochs.explains(now())).toBe(false);
  await database.psql`UPDATE entry_partition SET epoch = 2, open = false WHERE partition = 1`;
  expect(await epochs.explains(now())).toBe(true);
  expect(await epochs.explains(before)).toBe(false);
  await database.psql`UPDATE entry_partition SET open = true WHERE partition = 1`;
  epochs.end();
  await watching;
});
