// A Postgres primary as far as the gateways can tell: transactions with ids, snapshots and row locks, versions drawn under
// the root's lock, WAL that is on disk up to some position, and a crash that forgets what was not.
import type { Loaded } from '../../src/cache/view.js';
import { Locks } from './locks.js';

/** What the cached table says: the numbers of the last writes of its two fields; a note shows the first. */
export type Fields = readonly [even: number, odd: number];

/** A row of `entry`, with what the cached table says. Null: there is no such row. */
export interface Row {
  readonly view: string;
  readonly key: string;
  readonly partition: number;
  readonly version: string;
  readonly xid: string;
  readonly fields: Fields | null;
}

export interface PartitionState {
  readonly partition: number;
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
  readonly open: boolean;
  /** When an epoch of it was last opened; undefined where that was before the schedule. */
  readonly openedAtMs?: number;
  /** The snapshot that the relay has carried over, for barriers. */
  readonly covered: string | undefined;
}

/** One transaction, from its first statement to its end. */
export interface Transaction {
  readonly xid: number;
  state: 'running' | 'committed' | 'aborted';
  readonly rows: Map<string, Row>;
  readonly partitions: Map<number, PartitionState>;
}

export const rowName = (view: string, key: string): string => `${view}:${key}`;

const LIFE = '1:1/';

export class ModelPostgres {
  readonly locks: Locks;
  readonly partitions = new Map<number, PartitionState>();
  /** What has been committed, by the name of the row. */
  readonly rows = new Map<string, Row>();
  /** Another one after each crash. */
  session = 'session';
  readonly #running = new Set<Transaction>();
  #nextXid = 100;
  #latestXid = 99;
  #version = 0;
  #inserted = 1;
  #flushed = 1;
  /** Which WAL position shows that an id was used. */
  readonly #used: { readonly xid: number; readonly lsn: number }[] = [];

  constructor(pick: (count: number) => number) {
    this.locks = new Locks(pick);
  }

  begin(): Transaction {
    const transaction: Transaction = { xid: this.#nextXid++, state: 'running', rows: new Map(), partitions: new Map() };
    this.#running.add(transaction);
    this.#used.push({ xid: transaction.xid, lsn: ++this.#inserted });
    return transaction;
  }

  /** Locks root rows in order, then goes on. */
  lock(transaction: Transaction, names: readonly string[], locked: () => void): void {
    this.locks.acquireAll(transaction, [...names].sort(), () => {
      if (transaction.state === 'running') locked();
    });
  }

  /** The committed row as a locking statement finds it; what this transaction made of it, if it did. */
  rowOf(transaction: Transaction, name: string): Row | undefined {
    return transaction.rows.get(name) ?? this.rows.get(name);
  }

  /** Changes a row whose root is locked; the trigger draws its version. */
  change(transaction: Transaction, row: Omit<Row, 'version' | 'xid'>): Row {
    const version = String(++this.#version);
    const changed = { ...row, version, xid: String(transaction.xid) };
    this.#inserted++;
    transaction.rows.set(rowName(row.view, row.key), changed);
    return changed;
  }

  /** False where the transaction had ended before. */
  commit(transaction: Transaction): boolean {
    if (transaction.state !== 'running') return false;
    this.#inserted++;
    this.#flushed = this.#inserted;
    transaction.state = 'committed';
    for (const [name, row] of transaction.rows) this.rows.set(name, row);
    for (const [partition, state] of transaction.partitions) this.partitions.set(partition, state);
    this.#end(transaction);
    return true;
  }

  abort(transaction: Transaction): void {
    if (transaction.state !== 'running') return;
    this.#inserted++;
    transaction.state = 'aborted';
    this.#end(transaction);
  }

  /** What the WAL writer does now and then. */
  flush(): void {
    this.#flushed = this.#inserted;
  }

  /** An immediate shutdown and a restart: ids that no flushed WAL shows are given out again. */
  crash(): void {
    this.session += "'";
    for (const transaction of [...this.#running]) {
      transaction.state = 'aborted';
      this.#running.delete(transaction);
      this.locks.release(transaction);
    }
    this.#inserted = this.#flushed;
    const kept = this.#used.filter(({ lsn }) => lsn <= this.#flushed);
    this.#used.splice(0, this.#used.length, ...kept);
    this.#nextXid = Math.max(99, ...kept.map(({ xid }) => xid)) + 1;
    this.#latestXid = this.#nextXid - 1;
    this.#version = Math.max(0, ...[...this.rows.values()].map(({ version }) => Number(version)));
  }

  get insertedLsn(): bigint {
    return BigInt(this.#inserted);
  }

  get flushedLsn(): bigint {
    return BigInt(this.#flushed);
  }

  /** `pg_current_snapshot()` as text. */
  get snapshot(): string {
    const xmax = this.#latestXid + 1;
    const running = [...this.#running].map(({ xid }) => xid).filter((xid) => xid < xmax);
    running.sort((one, other) => one - other);
    return `${running[0] ?? xmax}:${xmax}:${running.join(',')}`;
  }

  get cursor(): string {
    return LIFE + this.snapshot;
  }

  /** Rows that are committed now and not seen by the cursor; undefined where it is of another life. */
  changesSince(cursor: string, partitions: readonly number[]): readonly Row[] | undefined {
    if (!cursor.startsWith(LIFE)) return undefined;
    const since = new Snapshot(cursor.slice(LIFE.length));
    return [...this.rows.values()].filter(
      ({ xid, partition }) => partitions.includes(partition) && !since.sees(Number(xid)),
    );
  }

  /** Whether the transaction has ended for whoever looks now. */
  ended(xid: string): boolean {
    return new Snapshot(this.snapshot).sees(Number(xid));
  }

  /** Whether `covering` sees all that `covered` sees. */
  covers(covering: string | undefined, covered: string): boolean {
    if (covering === undefined) return false;
    const [one, other] = [new Snapshot(covering), new Snapshot(covered)];
    return one.xmax >= other.xmax && one.running.every((xid) => xid >= other.xmax || !other.sees(xid));
  }

  /** What a view's statement gives, with the snapshot that it ran in. */
  load(view: string, keys: readonly string[], inside?: Transaction): Loaded[] {
    const { snapshot } = this;
    return keys.map((key) => {
      const name = rowName(view, key);
      const row = inside?.rows.get(name) ?? this.rows.get(name);
      return { key, version: row?.version ?? '0', changedAtMs: 0, snapshot, ...shown(view, row?.fields ?? null) };
    });
  }

  #end(transaction: Transaction): void {
    this.#running.delete(transaction);
    this.#latestXid = Math.max(this.#latestXid, transaction.xid);
    this.locks.release(transaction);
  }
}

/** The fields after the write of `number`; null deletes the row. */
export function written(view: string, before: Fields | null, number: number | null): Fields | null {
  if (number === null) return null;
  const [even, odd] = before ?? [0, 0];
  return view === 'note' || number % 2 === 0 ? [number, odd] : [even, number];
}

function shown(view: string, fields: Fields | null): Pick<Loaded, 'value' | 'members'> {
  if (fields === null) return { value: null, members: null };
  const [even, odd] = fields;
  if (view === 'note') return { value: String(even), members: null };
  return { value: '{}', members: ['even', String(even), 'odd', String(odd)] };
}

class Snapshot {
  readonly xmax: number;
  readonly running: readonly number[];

  constructor(text: string) {
    const [, xmax = '0', running = ''] = text.split(':');
    this.xmax = Number(xmax);
    this.running = running === '' ? [] : running.split(',').map(Number);
  }

  sees(xid: number): boolean {
    return xid < this.xmax && !this.running.includes(xid);
  }
}
