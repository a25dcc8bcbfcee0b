// What the engine needs of the database, in shapes that the database room conforms to without knowing the engine.

/** What Postgres holds a partition's store to. */
export interface PartitionRow {
  readonly partition: number;
  readonly incarnation: string;
  readonly epoch: string;
  readonly generation: string;
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
  /** Undefined when the log cannot be continued from the given cursor: another server or timeline, or too far behind. */
  readonly entries: readonly ChangedEntry[] | undefined;
  /** WAL positions: what `cursor` saw is on disk once a later look reports `flushedLsn` ≥ this `insertedLsn`. */
  readonly insertedLsn: bigint;
  readonly flushedLsn: bigint;
  /** Somebody waits in `cache_barrier` for the progress to be recorded. */
  readonly awaited: boolean;
}

export interface ChangeLog {
  /** What each partition's store must show. Partitions never begun are missing. */
  partitions(): Promise<readonly PartitionRow[]>;
  /**
   * Makes the next epoch and generation of partitions whose epoch still is `epoch` (undefined: never begun), for a
   * store of this incarnation; above `seenEpoch` too. Resolves to the row in force, whoever made it.
   */
  beginGeneration(
    partition: number,
    incarnation: string,
    epoch: string | undefined,
    seenEpoch: string,
  ): Promise<PartitionRow>;
  /** A cursor at now: nothing before it is pending. */
  now(): Promise<string>;
  /** What `partitions` have pending since `cursor`. */
  changesSince(cursor: string, partitions: readonly number[]): Promise<ChangeBatch>;
  /** Records, for barriers, that partitions cover `cursor`, unless another epoch has begun since. */
  recordCovered(partitions: readonly Pick<PartitionRow, 'partition' | 'epoch'>[], cursor: string): Promise<void>;
  /** Which of these transactions have ended. */
  ended(xids: readonly string[]): Promise<ReadonlySet<string>>;
}
