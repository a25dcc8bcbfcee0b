// What the engine needs of the database, in shapes that the database room conforms to without knowing the engine.

/** What Postgres holds a partition's store to. */
export interface PartitionRow {
  readonly partition: number;
  /** Empty until the partition is opened for the first time. */
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
  /** Whether the store may be trusted under this epoch. Once closed, an epoch is never opened again for a reader of it. */
  readonly open: boolean;
}

/**
 * One look at the partitions, which renews this gateway's lease on what it saw. Turns are drawn from one sequence by all
 * gateways, so that they tell which of two looks came later.
 */
export interface Renewal {
  readonly rows: readonly PartitionRow[];
  /** Drawn before the rows were read. */
  readonly began: bigint;
  /** Drawn after the rows were read. */
  readonly ended: bigint;
  /** Read after the rows. */
  readonly others: readonly OtherGateway[];
}

export interface OtherGateway {
  readonly id: string;
  /** The `began` of the last look whose answer it has. Above a look's `ended`: it has seen those rows or newer ones. */
  readonly turn: bigint;
  /** The `began` of the last look that Postgres has answered. */
  readonly beat: bigint;
}

/** What a gateway tells when it looks. */
export interface Renewing {
  /** The `began` of the last look whose answer it has. */
  readonly adopted: bigint;
  /** The incarnations that it trusts. */
  readonly trusted: readonly string[];
  /** Gateways that have not looked for longer than a lease lasts: to be forgotten, unless they look now. */
  readonly silent: readonly Pick<OtherGateway, 'id' | 'beat'>[];
}

/** An epoch to be closed, if it is still in force. */
export interface Closing {
  readonly partition: number;
  /** Undefined: there was no row. */
  readonly epoch: string | undefined;
  /** The next epoch lies above this one too: the store may know of later ones than a restored database does. */
  readonly seenEpoch: string;
  /** Nothing that the store holds of this generation may be used again. */
  readonly anew: boolean;
  /** The store shows no sign of having been this installation's: then only if no living gateway trusts another. */
  readonly foreign: boolean;
}

/** An epoch under which nobody may trust a partition any more. */
export interface Closed {
  readonly partition: number;
  readonly epoch: string;
}

export interface ChangedEntry {
  readonly partition: number;
  readonly view: string;
  readonly key: string;
  readonly version: string;
  readonly xid: string;
}

/** One look at the change log. */
export interface ChangeBatch {
  /** Covers everything that this look saw. */
  readonly cursor: string;
  /** Undefined when the log cannot be continued from the given cursor: of another server or timeline, or too far away. */
  readonly entries: readonly ChangedEntry[] | undefined;
  /** WAL positions: what `cursor` saw is on disk once a later look reports `flushedLsn` ≥ this `insertedLsn`. */
  readonly insertedLsn: bigint;
  readonly flushedLsn: bigint;
  /** Which session looked: another one may be of a server that has crashed in between. */
  readonly session: string;
  /** Somebody waits in `cache_barrier` for the progress to be recorded. */
  readonly awaited: boolean;
}

export interface ChangeLog {
  /** What each partition's store must show. Partitions never begun are missing. */
  partitions(): Promise<readonly PartitionRow[]>;
  /**
   * Renews this gateway's lease. Undefined when the others did not know this gateway: from now on they do, but nothing was
   * granted; renew again.
   */
  renew(renewing: Renewing): Promise<Renewal | undefined>;
  /** Closes an epoch if it is still in force; false where others have moved on already. */
  closeEpoch(closing: Closing): Promise<boolean>;
  /** Opens a closed epoch for one incarnation and generation. False when it is open already or no longer in force. */
  openEpoch(opening: Omit<PartitionRow, 'open'>): Promise<boolean>;
  /** A cursor at now: nothing before it is pending, and no crash undoes what it has seen. */
  now(): Promise<string>;
  /** What `partitions` have pending since `cursor`. */
  changesSince(cursor: string, partitions: readonly number[]): Promise<ChangeBatch>;
  /** Records, for barriers, that partitions cover `cursor`, unless another epoch has begun since. */
  recordCovered(partitions: readonly Pick<PartitionRow, 'partition' | 'epoch'>[], cursor: string): Promise<void>;
  /** Which of these transactions have ended. */
  ended(xids: readonly string[]): Promise<ReadonlySet<string>>;
}
