// The epochs of partitions, as Postgres keeps them: what was closed is never trusted again under the same number.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect, txQuery } from '../../src/db/connection.js';
import { closeForWrite, findPartitions, openEpoch } from '../../src/db/partition.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

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

describe('an epoch that writers hold closed', () => {
  /** A transaction that has begun to hold it; `held` resolves once it does. */
  const hold = () => {
    let end = () => {};
    const told = new Promise<void>((resolve) => {
      end = resolve;
    });
    let hold: (closed: Awaited<ReturnType<typeof close>>) => void = () => {};
    const held = new Promise<Awaited<ReturnType<typeof close>>>((resolve) => {
      hold = resolve;
    });
    const ended = connection.db.transaction(async (tx) => {
      hold(await closeForWrite(txQuery(tx), [partition], randomUUID()));
      await told;
    });
    return {
      held,
      end: async () => {
        end();
        await ended;
      },
    };
  };
  const waiting = async (count: number) => {
    const rows = await database.psql`SELECT FROM pg_locks
      WHERE locktype = 'advisory' AND objid = ${1_000 + partition} AND NOT granted`;
    return rows.length >= count;
  };

  it('is not opened before they have ended, and its opener gives up soon', async () => {
    await close();
    const writer = hold();
    expect(await writer.held).toEqual([{ partition, epoch: '6' }]);
    expect(await open('6')).toBe(false);
    await writer.end();
    expect(await open('6')).toBe(true);
  });

  it('is opened between two of them, however many follow: who comes while an opener waits lets it go first', async () => {
    await close();
    await eventually(async () => {
      const before = hold();
      await before.held;
      let over = false;
      const opening = open('6').finally(() => {
        over = true;
      });
      await eventually(async () => over || (await waiting(1)));
      const after = hold();
      await eventually(async () => over || (await waiting(2)));
      // The opener waits for a moment only, in which a slow machine may not have got as far as this.
      const isBehind = !over;
      await before.end();
      const opened = await opening;
      const found = await after.held;
      await after.end();
      if (opened && isBehind) expect(found).toBeUndefined();
      return opened;
    });
    expect(await row()).toMatchObject({ epoch: '6', open: true });
  });

  it('is not closed again by writers for some seconds from when it was opened, in which it is caught up with', async () => {
    await close();
    expect(await open('6')).toBe(true);
    expect(await close()).toBeUndefined();
    expect(await row()).toMatchObject({ epoch: '6', open: true });
    await database.psql`UPDATE entry_partition SET opened_at = opened_at - interval '3 seconds'`;
    expect(await close()).toEqual([{ partition, epoch: '7' }]);
  });

  it('is closed where the clock of Postgres was set back since it was opened', async () => {
    await close();
    expect(await open('6')).toBe(true);
    await database.psql`UPDATE entry_partition SET opened_at = opened_at + interval '1 hour'`;
    expect(await close()).toEqual([{ partition, epoch: '7' }]);
  });
});
