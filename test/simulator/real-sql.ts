// The statements of gateways and clients, run on a real Postgres.
import { sql } from 'drizzle-orm';
import type { Guard } from '../../src/cache/store.js';
import { ADVISORY, lockKey } from '../../src/db/advisory-lock.js';
import { txQuery } from '../../src/db/connection.js';
import { closeEpoch, closeForWrite, findPartitions, openEpoch, renewLease } from '../../src/db/partition.js';
import { type Server, server } from './network.js';
import { AliveList } from './real-alive.js';
import { crash, type RealDatabase, recovered } from './real-database.js';
import { Statements } from './real-statements.js';
import { loadView } from './real-tables.js';
import { RealTransaction } from './real-transaction.js';
import { type Party, party } from './scheduler.js';
import type { Sql, SqlServer, Ticket, Wanted } from './servers.js';

/** A transaction that its server does not know any more. */
class Ended extends Error {}

export class RealSql implements Sql {
  readonly server: Server = server(party('postgres'), false);
  readonly #database: RealDatabase;
  readonly #statements: Statements;
  readonly #alive: AliveList;
  readonly #committed: (ticket: Ticket) => void;
  readonly #opened: Wanted['opened'];
  readonly #transactions = new Map<Ticket, RealTransaction>();
  #waiting = 0;

  readonly crash?: () => Promise<void>;

  constructor(
    database: RealDatabase,
    nowMs: () => number,
    { committed, opened, dice }: Pick<Wanted, 'committed' | 'opened' | 'dice'>,
  ) {
    this.#database = database;
    this.#statements = new Statements(database.monitor);
    this.#alive = new AliveList(database.client, nowMs);
    this.#committed = committed;
    this.#opened = opened;
    if (dice.chance(CRASHING)) this.crash = () => this.#crash();
  }

  readonly partitions: SqlServer['partitions'] = () => this.#run(() => findPartitions(this.#query));

  readonly renew: SqlServer['renew'] = (me, renewing) =>
    this.#run(() => renewLease(this.#query, { id: this.#alive.looks(me), store: 'redis' }, renewing));

  readonly closeEpoch: SqlServer['closeEpoch'] = (me, closing) =>
    this.#run(async () => {
      await this.#alive.refresh();
      return closeEpoch(this.#query, closing, this.#alive.idOf(me));
    });

  readonly openEpoch: SqlServer['openEpoch'] = (opening) =>
    this.#run(async () => {
      const opens = await openEpoch(this.#query, opening);
      if (opens) this.#alive.opened(opening.partition);
      if (opens) this.#opened(opening);
      return opens;
    });
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
    return this.#statements.run(() => transaction.locked(), reply, refuse, this.#othersThan(ticket));
  };

  readonly change: SqlServer['change'] = (ticket, changes) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    const act = async () => {
      const done = await transaction.change(changes);
      ticket.changed = done.changed;
      return done;
    };
    return this.#statements.run(act, reply, refuse, this.#othersThan(ticket));
  };

  readonly closeForWrite: SqlServer['closeForWrite'] = (ticket, partitions, me) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    const act = async () => {
      await this.#alive.refresh();
      return transaction.within((tx) => closeForWrite(txQuery(tx), partitions, this.#alive.idOf(me)));
    };
    return this.#statements.run(act, reply, refuse, this.#othersThan(ticket));
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
      await this.#alive.refresh();
      const [row] = await this.#query<{ covered: boolean }>(sql`
        SELECT EXISTS (SELECT FROM gateway WHERE alive_until > clock_timestamp()) AND NOT EXISTS (
          SELECT FROM entry_partition WHERE covered IS NULL OR NOT snapshot_covers(covered, ${snapshot}::pg_snapshot)) AS covered`);
      return row?.covered ?? false;
    });

  readonly endBarrier: SqlServer['endBarrier'] = () =>
    this.#run(async () => {
      this.#waiting = Math.max(0, this.#waiting - 1);
      if (this.#waiting === 0) await this.#database.changeLog.query(sql`SELECT pg_advisory_unlock_shared(${BARRIER})`);
    });

  async open(partition: number, { incarnation, epoch, generation }: Guard): Promise<string> {
    await this.#database.client`INSERT INTO entry_partition (partition, incarnation, epoch, generation, open)
      VALUES (${partition}, ${incarnation}, ${epoch}, ${generation}, true)`;
    this.#opened({ partition, incarnation });
    return this.#database.changeLog.now();
  }

  async versionOf(view: string, key: string): Promise<string> {
    const [row] = await this.#database.client<{ version: string }[]>`
      SELECT version::text FROM entry WHERE view = ${view} AND key = ${key}`;
    return row?.version ?? '0';
  }

  async flush(): Promise<void> {
    if (this.crash) await this.#database.client`SELECT pg_logical_emit_message(true, 'simulator', '')`;
  }

  async burn(ids: number): Promise<void> {
    if (this.crash && ids > 0)
      await this.#database.client.unsafe('BEGIN; SELECT pg_current_xact_id(); ROLLBACK;'.repeat(ids));
  }

  async #crash(): Promise<void> {
    await crash(this.#database);
    for (const [ticket, transaction] of this.#transactions) {
      if (ticket.state === 'running') ticket.state = 'aborted';
      void transaction.rollback();
    }
    await this.#statements.ended();
    this.#waiting = 0;
    await recovered(this.#database);
  }

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
      this.#statements.run(act, reply, refuse, this.#othersThan(undefined));
  }

  #running(ticket: Ticket): RealTransaction | undefined {
    return ticket.state === 'running' ? this.#transactions.get(ticket) : undefined;
  }

  /** Whether a transaction beside this one may hold locks. */
  #othersThan(ticket: Ticket | undefined): boolean {
    for (const [each, transaction] of this.#transactions)
      if (each !== ticket && (each.state === 'running' || transaction.busy)) return true;
    return false;
  }
}

/** Share of schedules that may crash Postgres, which takes as long as ten others. */
const CRASHING = 0.2;
const BARRIER = lockKey(ADVISORY.barrier);
