// The statements of gateways and clients, run on the model of Postgres.
import type { Guard } from '../../src/cache/store.js';
import type { Dice } from './dice.js';
import { ModelPartitions } from './model-partitions.js';
import { ModelPostgres, rowName, type Transaction, written } from './model-postgres.js';
import { type Server, server } from './network.js';
import { type Party, party, type Scheduler } from './scheduler.js';
import type { Change, ChangedBack, Sql, SqlServer, Ticket, Wanted } from './servers.js';

/** A transaction that its server does not know any more. */
class Ended extends Error {}

export class ModelSql implements Sql {
  readonly server: Server = server(party('postgres'), false);
  readonly postgres: ModelPostgres;
  readonly partitionRows: ModelPartitions;
  readonly #partitionOf: (view: string, key: string) => number;
  readonly #transactions = new Map<Ticket, Transaction>();
  readonly #committed: (ticket: Ticket) => void;
  readonly #opened: Wanted['opened'];
  readonly #between: (next: () => void) => void;
  #waiting = 0;

  constructor(
    scheduler: Scheduler,
    dice: Dice,
    partitionOf: (view: string, key: string) => number,
    committed: (ticket: Ticket) => void,
    opened: Wanted['opened'],
  ) {
    this.postgres = new ModelPostgres((count) => dice.whole(0, Math.max(0, count - 1)));
    this.partitionRows = new ModelPartitions(this.postgres, () => scheduler.nowMs);
    this.#partitionOf = partitionOf;
    this.#committed = committed;
    this.#opened = opened;
    const self: Party = this.server.party;
    // Between two statements of one function others may run, for as long as the server likes.
    this.#between = (next) =>
      dice.chance(0.1) ? scheduler.after(dice.magnitude(0.1, 400), self, 'goes on', next) : next();
  }

  readonly partitions: SqlServer['partitions'] = () => (reply) => reply(this.partitionRows.rows());
  readonly renew: SqlServer['renew'] = (me, renewing) => (reply, refuse) =>
    this.partitionRows.renew(me, renewing, this.#between, reply, refuse);
  readonly closeEpoch: SqlServer['closeEpoch'] = (me, closing) => (reply) =>
    this.partitionRows.close(me, closing, reply);
  readonly openEpoch: SqlServer['openEpoch'] = (opening) => (reply) =>
    this.partitionRows.open(opening, (opens) => {
      if (opens) this.#opened(opening);
      reply(opens);
    });
  readonly now: SqlServer['now'] = () => (reply) => {
    const { cursor } = this.postgres;
    this.postgres.flush();
    reply(cursor);
  };

  readonly changesSince: SqlServer['changesSince'] = (cursor, partitions) => (reply) => {
    const { insertedLsn, flushedLsn, session } = this.postgres;
    const entries = this.postgres.changesSince(cursor, partitions)?.map(({ fields: _, ...row }) => row);
    reply({ cursor: this.postgres.cursor, entries, insertedLsn, flushedLsn, awaited: this.#waiting > 0, session });
  };

  readonly recordCovered: SqlServer['recordCovered'] = (partitions, cursor) => (reply) =>
    this.partitionRows.recordCovered(partitions, cursor, () => reply());
  readonly ended: SqlServer['ended'] = (xids) => (reply) =>
    reply(new Set(xids.filter((xid) => this.postgres.ended(xid))));
  readonly load: SqlServer['load'] = (view, keys) => (reply) => reply(this.postgres.load(view, keys));

  readonly lock: SqlServer['lock'] = (ticket, roots) => (reply, refuse) => {
    if (ticket.state !== 'unborn' || !ticket.owner.alive) return refuse(new Ended());
    const transaction = this.postgres.begin();
    ticket.state = 'running';
    this.#transactions.set(ticket, transaction);
    const names = roots.map(({ view, key }) => rowName(view, key));
    this.postgres.lock(transaction, names, () => reply());
  };

  readonly change: SqlServer['change'] = (ticket, changes) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    const changed = changes.map((change) => this.#changed(transaction, change));
    ticket.changed = changed;
    reply({ xid: String(transaction.xid), changed });
  };

  readonly closeForWrite: SqlServer['closeForWrite'] = (ticket, partitions, me) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    this.partitionRows.closeForWrite(transaction, partitions, me, reply);
  };

  readonly commit: SqlServer['commit'] = (ticket) => (reply, refuse) => {
    const transaction = this.#running(ticket);
    if (!transaction) return refuse(new Ended());
    ticket.state = 'committed';
    // Told first: with the end of the transaction its locks pass on to others.
    this.#committed(ticket);
    this.postgres.commit(transaction);
    reply();
  };

  readonly rollback: SqlServer['rollback'] = (ticket) => (reply) => {
    const transaction = this.#running(ticket);
    ticket.state = ticket.state === 'committed' ? 'committed' : 'aborted';
    if (transaction) this.postgres.abort(transaction);
    reply();
  };

  readonly outcome: SqlServer['outcome'] = (ticket) => (reply) => {
    if (this.#running(ticket)) return reply('in progress');
    reply(ticket.state === 'committed' ? 'committed' : 'aborted');
  };

  readonly barrier: SqlServer['barrier'] = () => (reply) => {
    this.#waiting++;
    reply(this.postgres.snapshot);
  };
  readonly isCovered: SqlServer['isCovered'] = (snapshot) => (reply) => reply(this.partitionRows.covered(snapshot));
  readonly endBarrier: SqlServer['endBarrier'] = () => (reply) => {
    this.#waiting = Math.max(0, this.#waiting - 1);
    reply();
  };

  open(partition: number, guard: Guard): string {
    this.postgres.partitions.set(partition, { partition, ...guard, open: true, covered: undefined });
    this.#opened({ partition, ...guard });
    return this.postgres.cursor;
  }

  versionOf(view: string, key: string): string {
    return this.postgres.rows.get(rowName(view, key))?.version ?? '0';
  }

  flush(): void {
    this.postgres.flush();
  }

  burn(ids: number): void {
    for (let left = ids; left > 0; left--) this.postgres.abort(this.postgres.begin());
  }

  /** Transactions that run on connections of `owner`. */
  runningOf(owner: Party): Ticket[] {
    return [...this.#transactions.keys()].filter((ticket) => ticket.owner === owner && ticket.state === 'running');
  }

  /** What a crash ends: every running transaction. */
  crash(): void {
    for (const ticket of this.#transactions.keys()) if (ticket.state === 'running') ticket.state = 'aborted';
    this.postgres.crash();
    this.partitionRows.crash();
    this.#waiting = 0;
  }

  #running(ticket: Ticket): Transaction | undefined {
    const transaction = this.#transactions.get(ticket);
    return transaction?.state === 'running' ? transaction : undefined;
  }

  #changed(transaction: Transaction, { view, key, number }: Change): ChangedBack {
    const before = this.postgres.rowOf(transaction, rowName(view, key));
    const from = before?.version ?? '0';
    const fields = written(view, before?.fields ?? null, number);
    const { version } = this.postgres.change(transaction, {
      view,
      key,
      partition: this.#partitionOf(view, key),
      fields,
    });
    const [loaded] = this.postgres.load(view, [key], transaction);
    if (!loaded) throw new Error('A row that was just changed is not there.');
    return { view, key, version, from, number, loaded };
  }
}
