// What a caller of the engine can act on. Absence, misses and staleness are values, never errors.

/** The store did not confirm in time, or not at all. Read Postgres instead; refuse a write with a request to retry. */
export class CacheUnavailable extends Error {
  readonly code = 'CACHE_UNREACHABLE';
  override readonly name = 'CacheUnavailable';
  /** `reply`: the server works, but refused this one operation, as where a key has been given another type by hand. */
  readonly kind: 'timeout' | 'connection' | 'untrusted' | 'memory' | 'reply';
  constructor(message: string, kind: CacheUnavailable['kind'], options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** More is asked of SQL than it answers in time. What was asked was not sent: ask again in a second, or ask for less. */
export class Overloaded extends Error {
  readonly code = 'OVERLOADED';
  override readonly name = 'Overloaded';
  /** full: too many questions wait already; late: this one has waited too long. */
  readonly reason: 'full' | 'late';
  constructor(reason: Overloaded['reason']) {
    super('More is asked of the database at the moment than it can answer; try again in a second.');
    this.reason = reason;
  }
}

/** Changes could not be told one by one: there were too many, or the change log begins anew. Read again, and listen again. */
export class FeedInterrupted extends Error {
  readonly code = 'FEED_INTERRUPTED';
  override readonly name = 'FeedInterrupted';
  constructor() {
    super('More has changed than can be told one by one: read it anew, then subscribe again.');
  }
}

/** No view of this name exists. */
export class UnknownView extends Error {
  readonly code = 'UNKNOWN_VIEW';
  override readonly name = 'UnknownView';
  constructor(view: string, known: readonly string[]) {
    super(`There is no view ${JSON.stringify(view)}; the views are ${known.join(', ')}.`);
  }
}
