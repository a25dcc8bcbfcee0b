// The statements of gateways and clients, run on a real Postgres.
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import type { Guard } from '../../src/cache/store.js';
import { ADVISORY, lockKey } from '../../src/db/advisory-lock.js';
import type { PostgresChangeLog } from '../../src/db/change-log.js';
import { type Connection, txQuery } from '../../src/db/connection.js';
import { closeEpoch, closeForWrite, findPartitions, openEpoch, renewLease } from '../../src/db/partition.js';
import { type Server, server } from './network.js';
import { Statements } from './real-statements.js';
import { loadView } from './real-tables.js';
import { RealTransaction } from './real-transaction.js';
import { type Party, party } from './scheduler.js';
import type { Sql, SqlServer, Ticket } from './servers.js';

/** A worker's way to its own database. */
export interface RealDatabase {
  readonly client: postgres.Sql;
  readonly monitor: postgres.Sql;
  readonly connection: Connection;
  /** Of nobody on the list of gateways. */
  readonly changeLog: PostgresChangeLog;
}

/** A transaction that its server does not know any more. */
class Ended extends Error {}

export class RealSql implements Sql {
  readonly server: Server = server(party('postgres'), false);
  readonly #database: RealDatabase;
  readonly #statements: Statements;
  readonly #nowMs: () => number;
  readonly #committed: (ticket: Ticket) => void;
  readonly #transactions = new Map<Ticket, RealTransaction>();
  readonly #ids = new Map<string, string>();
  #elapsedMs = 0;
  #waiting = 0;

  constructor(database: RealDatabase, nowMs: () => number, committed: (ticket: Ticket) => void) {
    this.#database = database;
    this.#statements = new Statements(database.monitor);
    this.#nowMs = nowMs;
    this.#committed = committed;
    this.#elapsedMs = nowMs();
  }

  readonly partitions: SqlServer['partitions'] = () => this.#run(() => findPartitions(this.#query));

  readonly renew: SqlServer['renew'] = (me, renewing) =>
    this.#run(async () => {
      await this.#elapse();
      return renewLease(this.#query, { id: this.#idOf(me), store: 'redis' }, renewing);
    });

  readonly closeEpoch: SqlServer['closeEpoch'] = (me, closing) =>
    this.#run(async () => {
      await this.#elapse();
      return closeEpoch(this.#query, closing, this.#idOf(me));
    });

  readonly openEpoch: SqlServer['openEpoch'] = (opening) => this.#run(() => openEpoch(this.#query, opening));
  readonly now: SqlServer['now'] = () => this.#run(() => this.#database.changeLog.now());
  readonly changesSince: SqlServer['changesSince'] = (cursor, partitions) =>
    this.#run(() => this.#database.changeLog.changesSince(cursor, partitions));
  readonly recordCovered: SqlServer['recordCovered'] = (partitions, cursor) =>
    this.#run(() => this.#database.changeLog.recordCovered(partitions, cursor));
  readonly ended: SqlServer['ended'] = (xids) => this.#run(() => this.#database.changeLog.ended(xids));
  readonly load: SqlServer['load'] = (view, keys) => this.#run(() => loadView(this.#query, view, keys));

  readonly lock: SqlServer['lock'] = (ticket, roots) => (reply, refuse) => {
    if (ticket.state !== 'unborn' || !ticket.owner.alive) return refuse(new Ended());
    const transaction = new RealTransaction(this.#database.connection.db, roots);
    ticket.state = 'running';
    this.#transactions.set(ticket, transaction);
    return this.#statements.run(() => transaction.locked(), reply, refuse);
  };

  readonly change: SqlServer['change'] = (ticket, changes) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    const act = async () => {
      const done = await transaction.change(changes);
      ticket.changed = done.changed;
      return done;
    };
    return this.#statements.run(act, reply, refuse);
  };

  readonly closeForWrite: SqlServer['closeForWrite'] = (ticket, partitions, me) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    const act = async () => {
      await this.#elapse();
      return transaction.within((tx) => closeForWrite(txQuery(tx), partitions, this.#idOf(me)));
    };
    return this.#statements.run(act, reply, refuse);
  };

  readonly commit: SqlServer['commit'] = (ticket) => async (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction || transaction.busy) return refuse(new Ended());
    try {
      await transaction.commit();
      ticket.state = 'committed';
      this.#committed(ticket);
      reply();
    } catch (error) {
      ticket.state = 'aborted';
      refuse(error);
    }
    await this.#statements.settled();
  };

  readonly rollback: SqlServer['rollback'] = (ticket) => async (reply) => {
    const transaction = this.#running(ticket);
    ticket.state = ticket.state === 'committed' ? 'committed' : 'aborted';
    // Postgres finds out that nobody waits once the statement at work has ended.
    if (transaction?.busy) void transaction.rollback();
    else await transaction?.rollback();
    reply();
    await this.#statements.settled();
  };

  readonly outcome: SqlServer['outcome'] = (ticket) => (reply) => {
    if (this.#running(ticket)) return reply('in progress');
    reply(ticket.state === 'committed' ? 'committed' : 'aborted');
  };

  readonly barrier: SqlServer['barrier'] = () =>
    this.#run(async () => {
      this.#waiting++;
      if (this.#waiting === 1) await this.#database.changeLog.query(sql`SELECT pg_advisory_lock_shared(${BARRIER})`);
      const [row] = await this.#query<{ mine: string }>(sql`SELECT pg_current_snapshot()::text AS mine`);
      return row?.mine ?? '';
    });

  readonly isCovered: SqlServer['isCovered'] = (snapshot) =>
    this.#run(async () => {
      await this.#elapse();
      const [row] = await this.#query<{ covered: boolean }>(sql`
        SELECT EXISTS (SELECT FROM gateway WHERE alive_until > clock_timestamp()) AND NOT EXISTS (
          SELECT FROM entry_partition WHERE covered IS NULL OR NOT snapshot_covers(covered, ${snapshot}::pg_snapshot)) AS covered`);
      return row?.covered ?? false;
    });

  readonly endBarrier: SqlServer['endBarrier'] = () =>
    this.#run(async () => {
      this.#waiting--;
      if (this.#waiting === 0) await this.#database.changeLog.query(sql`SELECT pg_advisory_unlock_shared(${BARRIER})`);
    });

  async open(partition: number, { incarnation, epoch, generation }: Guard): Promise<string> {
    await this.#database.client`INSERT INTO entry_partition (partition, incarnation, epoch, generation, open)
      VALUES (${partition}, ${incarnation}, ${epoch}, ${generation}, true)`;
    return this.#database.changeLog.now();
  }

  async versionOf(view: string, key: string): Promise<string> {
    const [row] = await this.#database.client<{ version: string }[]>`
      SELECT version::text FROM entry WHERE view = ${view} AND key = ${key}`;
    return row?.version ?? '0';
  }

  flush(): void {}

  runningOf(owner: Party): Ticket[] {
    return [...this.#transactions.keys()].filter((ticket) => ticket.owner === owner && ticket.state === 'running');
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    await Promise.all([...this.#transactions.values()].map((transaction) => transaction.rollback()));
    await this.#statements.settled();
    if (this.#waiting > 0) await this.#database.changeLog.query(sql`SELECT pg_advisory_unlock_all()`);
  }

  get #query() {
    return this.#database.connection.query;
  }

  #run<Result>(act: () => Promise<Result>) {
    return (reply: (result: Result) => void, refuse: (error: unknown) => void) =>
      this.#statements.run(act, reply, refuse);
  }

  #running(ticket: Ticket): RealTransaction | undefined {
    return ticket.state === 'running' ? this.#transactions.get(ticket) : undefined;
  }

  #idOf(name: string): string {
    const id = this.#ids.get(name) ?? randomUUID();
    this.#ids.set(name, id);
    return id;
  }

  /** Lets the schedule's time pass for the list of gateways. */
  async #elapse(): Promise<void> {
    const ms = Math.floor(this.#nowMs() - this.#elapsedMs);
    if (ms < 50) return;
    this.#elapsedMs += ms;
    await this.#database.client`UPDATE gateway SET alive_until = alive_until - ${ms} * interval '1 ms'`;
  }
}

const BARRIER = lockKey(ADVISORY.barrier);
