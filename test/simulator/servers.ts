// What a schedule needs of its servers, whether they are models or real: each operation is run when its request arrives,
// whole, and gives its reply then or once a lock is free.
import type { ChangeBatch, Closed, Closing, PartitionRow, Renewal, Renewing } from '../../src/cache/ports.js';
import type { Guard, Store } from '../../src/cache/store.js';
import type { Loaded } from '../../src/cache/view.js';
import type { Dice } from './dice.js';
import type { Execute, Server } from './network.js';
import type { Party, Scheduler } from './scheduler.js';

type Operation = Exclude<keyof Store, 'kind' | 'close'>;
export type Awaitable<Result> = Result | Promise<Result>;

/** The operations of a `Store`, at once or by a promise. */
export type Master = {
  readonly [Name in Operation]: (...args: Parameters<Store[Name]>) => Awaitable<Awaited<ReturnType<Store[Name]>>>;
};

/** An address at which a Redis master answers. */
export interface RedisSite {
  readonly server: Server;
  /** Whom a request by this gateway reaches. */
  masterFor(from: Party): Master;
}

/** One root that a write changes, by a number that no other write has; null deletes. */
export interface Change {
  readonly view: string;
  readonly key: string;
  readonly number: number | null;
}

/** What a transaction has changed in one entry, read back by it. */
export interface ChangedBack {
  readonly view: string;
  readonly key: string;
  readonly version: string;
  /** Before this transaction. */
  readonly from: string;
  readonly number: number | null;
  readonly loaded: Loaded;
}

/** A transaction as its client knows it; the server makes it with the first statement. */
export class Ticket {
  readonly number: number;
  state: 'unborn' | 'running' | 'committed' | 'aborted' = 'unborn';
  /** What it will have committed, told to the checker when it has. */
  changed: readonly ChangedBack[] = [];
  /** The entries that were fenced, with how often Redis had been disturbed before. */
  readonly fenced = new Map<string, number>();
  /** Whose connection it runs on. */
  readonly owner: Party;
  constructor(number: number, owner: Party) {
    this.number = number;
    this.owner = owner;
  }
}

export interface SqlServer {
  readonly server: Server;
  readonly partitions: () => Execute<readonly PartitionRow[]>;
  readonly renew: (me: string, renewing: Renewing) => Execute<Renewal | undefined>;
  readonly closeEpoch: (me: string, closing: Closing) => Execute<boolean>;
  readonly openEpoch: (opening: Omit<PartitionRow, 'open'>) => Execute<boolean>;
  readonly now: () => Execute<string>;
  readonly changesSince: (cursor: string, partitions: readonly number[]) => Execute<ChangeBatch>;
  readonly recordCovered: (
    partitions: readonly { partition: number; epoch: string }[],
    cursor: string,
  ) => Execute<void>;
  readonly ended: (xids: readonly string[]) => Execute<ReadonlySet<string>>;
  readonly load: (view: string, keys: readonly string[]) => Execute<Loaded[]>;
  /** BEGIN, and locks of the roots. */
  readonly lock: (ticket: Ticket, roots: readonly { view: string; key: string }[]) => Execute<void>;
  /** The statements of the write's body; gives back the transaction's id and what it has changed. */
  readonly change: (
    ticket: Ticket,
    changes: readonly Change[],
  ) => Execute<{ xid: string; changed: readonly ChangedBack[] }>;
  readonly closeForWrite: (
    ticket: Ticket,
    partitions: readonly number[],
    me: string,
  ) => Execute<readonly Closed[] | undefined>;
  readonly commit: (ticket: Ticket) => Execute<void>;
  /** Also what the server does when it finds that the client is gone. */
  readonly rollback: (ticket: Ticket) => Execute<void>;
  /** Whether the transaction has ended, and how, by the row of its audit log. */
  readonly outcome: (ticket: Ticket) => Execute<'committed' | 'aborted' | 'in progress'>;
  /** `cache_barrier`: a snapshot, then whether everything that it sees is covered. */
  readonly barrier: () => Execute<string>;
  readonly isCovered: (snapshot: string) => Execute<boolean>;
  readonly endBarrier: () => Execute<void>;
}

/** An address of Redis, as fate treats it. */
export interface Site extends RedisSite {
  /** The newest one. */
  readonly master: Master;
  /** Brings the replica to where the master is. */
  replicate(): Awaitable<void>;
  /** Writes a dump. */
  save(): Awaitable<void>;
  /** Both at once. */
  copy(): Awaitable<void>;
  /** Promotes the replica as far as it has come; those who are behind go on talking to the old master until then. */
  failOver(behind: readonly Party[], untilMs: number): Awaitable<void>;
  restart(from: 'dump' | 'empty'): Awaitable<void>;
  flushAll(): Awaitable<void>;
  /** Takes an entry for want of memory, unless a fence keeps it. */
  evict(partition: number, entry: { readonly view: string; readonly key: string }): Awaitable<void>;
  /** Everybody hears of the newest master. */
  heal(): void;
  /** The version that readers of the partition's generation hit; undefined where there is none. */
  versionAt(partition: number, name: string): Awaitable<string | undefined>;
}

/** Postgres, as fate treats it. */
export interface Sql extends SqlServer {
  /** Opens a partition as a gateway did before the schedule; gives the cursor at now. */
  open(partition: number, guard: Guard): Awaitable<string>;
  /** Transactions that run on connections of `owner`. */
  runningOf(owner: Party): readonly Ticket[];
  versionOf(view: string, key: string): Awaitable<string>;
  /** What the WAL writer does now and then. */
  flush(): Awaitable<void>;
  /** An immediate shutdown, where one schedule can have that for itself. */
  readonly crash?: () => Awaitable<void>;
  /** Uses up ids of transactions, of which nothing need be on disk. */
  readonly burn?: (ids: number) => Awaitable<void>;
}

/** The servers of one schedule. */
export interface Servers {
  readonly sites: readonly Site[];
  readonly sql: Sql;
  /** Ends what still runs. */
  readonly close: () => Promise<void>;
}

/** What a tier is told of the schedule that it is to serve. */
export interface Wanted {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly entries: readonly { readonly view: string; readonly key: string }[];
  readonly partitions: number;
  /** At most so many addresses of Redis. */
  readonly sites: number;
  /** Called with each transaction that has committed, before anybody else can know. */
  readonly committed: (ticket: Ticket) => void;
  /** Called when a partition is opened, before anybody else can know. */
  readonly opened: (guarded: Pick<PartitionRow, 'partition' | 'incarnation'>) => void;
}

/** Gives each schedule servers that no other has touched. */
export type Tier = (wanted: Wanted) => Awaitable<Servers>;
