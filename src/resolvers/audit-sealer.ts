// Seals the audit log behind its writers' backs: they wait for nothing. Any gateway may; a lock in Postgres lets one at a
// time. A stretch of the log is sealed once nobody can add a change to it any more.
//
// 1. The newest place is read, and then who is writing to the log.
// 2. Once all of those have ended, what stands up to that place is all that will ever stand there. It is sealed.
// A transaction that writes for long holds the seals back, not the writers.
import {
  type AuditSigner,
  type Db,
  findLastSeal,
  findLoggedChanges,
  findNewestPlace,
  findWriters,
  insertSeal,
  isSameTag,
  mayAddSeal,
  type Query,
  type Seal,
  type SealContent,
  txQuery,
} from '../db/index.js';

export interface SealerOptions {
  readonly db: Db;
  readonly query: Query;
  readonly signer: AuditSigner;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly logger: Readonly<Record<'info' | 'error', (facts: object, sentence: string) => void>>;
}

/** A seal is read whole. */
const CHANGES_PER_SEAL = 1_000;
const EVERY_MS = 1_000;
/** The head of the chain is logged now and then: the log stands elsewhere, and proves later that nothing was cut off. */
const HEAD_EVERY_MS = 600_000;
/** Longer than any mutation lasts. */
const LATE_MS = 120_000;

export class AuditSealer {
  readonly #options: SealerOptions;
  /** The last seal that this process has seen. */
  #seen: Seal | undefined;
  #waiting: { readonly upTo: string; writers: readonly string[]; readonly sinceMs: number } | undefined;
  #toldHeadMs = Number.NEGATIVE_INFINITY;
  #toldLate = false;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Seals what can be sealed now. */
  async round(): Promise<void> {
    const { query, now } = this.#options;
    const last = await findLastSeal(query);
    this.#compare(last);
    if (!this.#waiting) {
      const upTo = await findNewestPlace(query);
      if (upTo === undefined || BigInt(upTo) <= BigInt(last?.upTo ?? 0)) return;
      this.#waiting = { upTo, writers: await findWriters(query), sinceMs: now() };
    } else {
      const writing = new Set(await findWriters(query));
      this.#waiting.writers = this.#waiting.writers.filter((writer) => writing.has(writer));
    }
    const { upTo, writers, sinceMs } = this.#waiting;
    if (writers.length > 0) {
      this.#tellLate(now() - sinceMs);
      return;
    }
    this.#waiting = undefined;
    this.#toldLate = false;
    while (await this.#seal(upTo));
    this.#tellHead();
  }

  /** Seals every second until it is stopped. What fails is tried again then. */
  start(everyMs = EVERY_MS): { readonly stop: () => Promise<void> } {
    let stopped = false;
    let working = Promise.resolve();
    let next: NodeJS.Timeout;
    const plan = () => {
      next = setTimeout(() => {
        working = this.round()
          .catch(() => {})
          .then(() => {
            if (!stopped) plan();
          });
      }, everyMs).unref();
    };
    plan();
    return {
      stop: () => {
        stopped = true;
        clearTimeout(next);
        return working;
      },
    };
  }

  /** Adds one seal; whether there is more to seal up to `upTo`. */
  #seal(upTo: string): Promise<boolean> {
    const { db, signer, now } = this.#options;
    return db.transaction(async (tx) => {
      if (!(await mayAddSeal(tx))) return false;
      const query = txQuery(tx);
      const last = await findLastSeal(query);
      const after = last?.upTo ?? '0';
      if (BigInt(after) >= BigInt(upTo)) return false;
      const changes = await findLoggedChanges(query, after, upTo, CHANGES_PER_SEAL);
      const final = changes.at(-1);
      if (!final) return false;
      const isFull = changes.length === CHANGES_PER_SEAL;
      const content: SealContent = {
        number: String(BigInt(last?.number ?? 0) + 1n),
        sealedAtMs: String(now()),
        after,
        upTo: isFull ? final.sequence : upTo,
        unsignedTo: last?.unsignedTo ?? upTo,
        sequences: changes.map(({ sequence }) => sequence),
        tags: Buffer.concat(changes.map(signer.placeTag)),
        previous: last?.tag ?? Buffer.alloc(0),
      };
      const seal = { ...content, keyId: signer.keyId, tag: signer.sealTag(content) };
      await insertSeal(tx, seal);
      this.#seen = seal;
      return isFull;
    });
  }

  /** A chain only grows: what was its end must still be there. */
  #compare(last: Seal | undefined): void {
    const seen = this.#seen;
    this.#seen = last;
    if (!seen) return;
    const shorter = BigInt(last?.number ?? 0) < BigInt(seen.number);
    const other = last?.number === seen.number && !isSameTag(last.tag, seen.tag);
    if (!shorter && !other) return;
    this.#options.logger.error(
      { head: headOf(seen) },
      'the audit log has lost its end: somebody removed it, or an older backup was restored; see "espelho audit verify --head"',
    );
  }

  #tellLate(ms: number): void {
    if (ms < LATE_MS || this.#toldLate) return;
    this.#toldLate = true;
    this.#options.logger.error(
      { ms },
      'the audit log cannot be sealed: a transaction has been writing to it for long; find it in pg_locks, on the table changes',
    );
  }

  #tellHead(): void {
    const { now, logger } = this.#options;
    if (!this.#seen || now() - this.#toldHeadMs < HEAD_EVERY_MS) return;
    this.#toldHeadMs = now();
    logger.info({ head: headOf(this.#seen) }, 'the audit log is sealed');
  }
}

/** Names a seal by number and digest, such as `12:a3…`: kept elsewhere, it proves later that the log was not cut off. */
export const headOf = ({ number, tag }: Pick<Seal, 'number' | 'tag'>): string =>
  `${number}:${Buffer.from(tag).toString('hex')}`;
