// The epochs of partitions, as Postgres keeps them: what was closed is never trusted again under the same number.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/connection.js';
import { closeForWrite, findPartitions, openEpoch } from '../../src/db/partition.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let connection: Connection;
let partition = -1;

beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  partition++;
  await database.psql`INSERT INTO entry_partition (partition, incarnation, epoch, generation, open)
    VALUES (${partition}, 'life', 5, 5, true)`;
});

const row = async () => (await findPartitions(connection.query)).find((each) => each.partition === partition);
const close = () => closeForWrite(connection.query, [partition], randomUUID());
const open = (epoch: string) => openEpoch(connection.query, { partition, incarnation: 'next', epoch, generation: '5' });

describe('an epoch that a write has closed', () => {
  it('is followed by one with another number', async () => {
    expect(await close()).toEqual([{ partition, epoch: '6' }]);
    expect(await row()).toMatchObject({ epoch: '6', open: false });
  });

  it('is not opened again, and only once is the one after it', async () => {
    await close();
    expect(await open('5')).toBe(false);
    expect(await row()).toMatchObject({ incarnation: 'life', open: false });
    expect(await open('6')).toBe(true);
    expect(await open('6')).toBe(false);
    expect(await row()).toMatchObject({ incarnation: 'next', epoch: '6', open: true });
  });
});
