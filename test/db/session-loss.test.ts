// A link to Postgres that resets connections, or lets them stand and carries nothing: no statement ever has the answer of
// another one, none waits for ever, and the next connection works.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Connection,
  connect,
  migrate,
  openChangeLog,
  type PostgresChangeLog,
  type Query,
} from '../../src/db/index.js';
import { Link, type LinkConnection } from '../faults/link.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

let database: TestDatabase;
let link: Link;
let connection: Connection;
let changeLog: PostgresChangeLog;

beforeAll(async () => {
  database = await createDatabase({ partitions: 2 });
});
afterAll(() => database.close());
beforeEach(async () => {
  const target = new URL(database.url);
  link = await Link.open({ target: () => ({ host: target.hostname, port: Number(target.port) }) });
  const through = new URL(database.url);
  through.port = String(link.port);
  connection = connect({ url: through.href, maxReads: 1, maxWrites: 1 });
  changeLog = openChangeLog(through.href);
});
afterEach(async () => {
  await Promise.all([changeLog.close(), connection.close()]);
  await link.close();
});

const isAnswered = (pending: Promise<unknown>) =>
  pending.then(
    () => true,
    () => false,
  );

/** Asks in every turn of the event loop, while at most `most` answers are outstanding; resolves to the wrong answers. */
async function askUntil(isOver: () => boolean, query: Query, most: number): Promise<unknown[]> {
  const wrong: unknown[] = [];
  let outstanding = 0;
  for (let asked = 0; !isOver(); await nextTurn()) {
    if (outstanding >= most) continue;
    const number = ++asked;
    outstanding++;
    query<{ number: number }>(sql`SELECT ${number}::int AS number`)
      .then((rows) => {
        if (rows.length !== 1 || rows[0]?.number !== number) wrong.push({ number, rows: [...rows] });
      })
      .catch(() => {})
      .finally(() => {
        outstanding--;
      });
  }
  return wrong;
}

/** Ends every connection that has carried something, again and again. */
async function cutOften(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await eventually(() => link.connections.size > 0);
    await new Promise((resolve) => setTimeout(resolve, 20 + 7 * (time % 5)));
    link.cut();
  }
}

it('a statement that is asked for while its connection is on its way down gets its own answer, or none', async () => {
  const wrong: unknown[] = [];
  for (let round = 0; round < 30; round++) {
    await eventually(() => isAnswered(connection.query(sql`SELECT 1`)));
    link.cut();
    for (let turn = 0; turn < round % 5; turn++) await nextTurn();
    const asked: Promise<unknown>[] = [];
    for (let number = 1; number <= 3; number++) {
      const asking = connection.query<{ number: number }>(sql`SELECT ${number}::int AS number`);
      asked.push(
        asking.then(
          (rows) => (rows.length === 1 && rows[0]?.number === number) || wrong.push({ number, rows: [...rows] }),
          () => {},
        ),
      );
      await nextTurn();
    }
    await Promise.all(asked);
  }
  expect(wrong).toEqual([]);
});

it('a reset leaves nothing behind that waits for ever: the next statements are answered', async () => {
  const queries = [connection.query, changeLog.query];
  let isOver = false;
  const asking = queries.map((query) => askUntil(() => isOver, query, 1));
  await cutOften(40);
  isOver = true;
  await Promise.all(asking);
  await eventually(async () => {
    const answers = await Promise.all(
      [...queries, ...queries]
        .map((query) => isAnswered(query(sql`SELECT 1`)))
        .concat(isAnswered(changeLog.partitions())),
    );
    return answers.every((isIn) => isIn);
  }, 8_000); // left to itself, the driver gives no answer ever again
});

it('a transaction that meets a reset is lost, and what its body does then reaches nobody', async () => {
  await database.psql`CREATE TABLE met (at int)`;
  let isOver = false;
  const committed: number[] = [];
  const writing = (async () => {
    for (let at = 1; !isOver; at++) {
      await connection.db
        .transaction(async (tx) => {
          await tx.execute(sql`INSERT INTO met VALUES (${at})`);
          await nextTurn();
          const [row] = await tx.execute<{ at: number }>(sql`SELECT max(at) AS at FROM met`);
          expect(row?.at).toBe(at);
        })
        .then(
          () => committed.push(at),
          () => nextTurn(),
        );
    }
  })();
  await cutOften(40);
  isOver = true;
  await writing;
  const kept = await database.psql<{ at: number }[]>`SELECT at FROM met`;
  expect(kept.map(({ at }) => at)).toEqual(expect.arrayContaining(committed));
});

it('a connection that stands and carries nothing is given up: others take its place', async () => {
  const gateway = { adopted: 0n, trusted: [], silent: [] };
  const asks = [
    () => connection.query(sql`SELECT 1`),
    () => connection.db.execute(sql`SELECT 1`),
    () => changeLog.query(sql`SELECT 1`),
    () => changeLog.renew(gateway),
  ];
  await Promise.all(asks.map((ask) => ask()));
  const silent = new Set<LinkConnection>(link.connections);
  expect(silent.size).toBe(4);
  link.taps.add((_side, _piece, at) => (silent.has(at) ? new Promise(() => {}) : undefined));
  await eventually(async () => (await Promise.all(asks.map((ask) => isAnswered(ask())))).every((isIn) => isIn));
  expect([...link.connections].filter((at) => !silent.has(at)).length).toBe(4);
}, 60_000);

it('a start over a link that falls silent once it is connected gives up', async () => {
  const target = new URL(database.url);
  target.port = String(link.port);
  const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);
  let isSilent = false;
  link.taps.add((_side, piece) => {
    if (isSilent) return new Promise(() => {});
    isSilent = piece.includes(readyForQuery);
    return undefined;
  });
  await expect(migrate(target.href)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(isSilent).toBe(true);
}, 60_000);
