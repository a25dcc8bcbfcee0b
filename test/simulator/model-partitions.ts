// The statements about partitions and gateways, as `drizzle/0005_trust.sql` has them, over the model of Postgres.
import type { Closed, Closing, PartitionRow, Renewal, Renewing } from '../../src/cache/ports.js';
import type { ModelPostgres, PartitionState, Transaction } from './model-postgres.js';

const LIFE_MS = 3_000;
/** So long writers leave what was opened to who is catching up with it. */
const GRACE_MS = 3_000;

interface Registered {
  readonly turn: bigint;
  readonly beat: bigint;
  readonly trusted: readonly string[];
  readonly aliveUntilMs: number;
}

const lockName = (partition: number) => `partition ${partition}`;

export class ModelPartitions {
  readonly gateways = new Map<string, Registered>();
  readonly #postgres: ModelPostgres;
  readonly #nowMs: () => number;
  /** Rows that a running `gateway_renew` has changed. */
  readonly #locked = new Set<string>();
  #turn = 0n;
  #lives = 0;

  constructor(postgres: ModelPostgres, nowMs: () => number) {
    this.#postgres = postgres;
    this.#nowMs = nowMs;
  }

  rows(): PartitionRow[] {
    return [...this.#postgres.partitions.values()].map(({ covered: _, openedAtMs: __, ...row }) => row);
  }

  /**
   * `gateway_renew`, statement by statement: `between` runs the next one, at once or later. Meanwhile its own row is locked;
   * who wants to delete it gives up, as for a lock time-out.
   */
  renew(
    me: string,
    { adopted, trusted, silent }: Renewing,
    between: (next: () => void) => void,
    reply: (renewal: Renewal | undefined) => void,
    refuse: (error: unknown) => void,
  ): void {
    const began = ++this.#turn;
    const mine = { turn: adopted, beat: began, trusted, aliveUntilMs: this.#nowMs() + LIFE_MS };
    if (!this.gateways.has(me)) {
      this.gateways.set(me, { ...mine, turn: 0n, beat: 0n });
      reply(undefined);
      return;
    }
    const lives = this.#lives;
    this.#locked.add(me);
    between(() => {
      const rows = this.rows();
      between(() => {
        if (lives !== this.#lives) return;
        this.#locked.delete(me);
        const gone = silent.filter(({ id, beat }) => this.gateways.get(id)?.beat === beat && id !== me);
        if (gone.some(({ id }) => this.#locked.has(id))) return refuse(new Error('Lock time-out.'));
        for (const { id } of gone) this.gateways.delete(id);
        const others = [...this.gateways]
          .filter(([id]) => id !== me)
          .map(([id, { turn, beat }]) => ({ id, turn, beat }));
        const ended = ++this.#turn;
        this.gateways.set(me, mine);
        reply({ rows, began, ended, others });
      });
    });
  }

  /** What a crash of the server undoes. */
  crash(): void {
    this.#lives++;
    this.#locked.clear();
  }

  /** `partition_close`. */
  close(me: string, closing: Closing, reply: (closed: boolean) => void): void {
    const { partition, epoch, seenEpoch, anew, foreign } = closing;
    const transaction = this.#postgres.begin();
    this.#postgres.locks.acquire(transaction, lockName(partition), () => {
      if (transaction.state !== 'running') return;
      const row = this.#postgres.partitions.get(partition);
      const seen = BigInt(seenEpoch);
      let next: PartitionState | undefined;
      if (epoch === undefined) {
        const first = String(seen + 1n);
        const made = { partition, incarnation: '', epoch: first, generation: first, open: false, covered: undefined };
        next = row ? undefined : made;
      } else if (row?.epoch === epoch && !(foreign && this.#isTrustedElsewhere(row.incarnation, me))) {
        const above = String((BigInt(epoch) > seen ? BigInt(epoch) : seen) + 1n);
        const generation = anew || seen > BigInt(epoch) ? above : row.generation;
        next = { ...row, open: false, covered: undefined, epoch: above, generation };
      }
      if (next) transaction.partitions.set(partition, next);
      this.#postgres.commit(transaction);
      reply(next !== undefined);
    });
  }

  /** Opens a closed epoch. */
  open(opening: Omit<PartitionRow, 'open'>, reply: (opened: boolean) => void): void {
    const { partition, epoch, incarnation, generation } = opening;
    const transaction = this.#postgres.begin();
    this.#postgres.locks.acquire(transaction, lockName(partition), () => {
      if (transaction.state !== 'running') return;
      const row = this.#postgres.partitions.get(partition);
      const opens = row?.epoch === epoch && !row.open;
      if (opens) {
        const openedAtMs = this.#nowMs();
        const opened = { ...row, open: true, openedAtMs, covered: undefined, incarnation, generation };
        transaction.partitions.set(partition, opened);
      }
      this.#postgres.commit(transaction);
      reply(opens);
    });
  }

  /** `partitions_close`, inside a writing transaction: its row locks last until that ends. */
  closeForWrite(
    transaction: Transaction,
    partitions: readonly number[],
    me: string,
    reply: (closed: readonly Closed[] | undefined) => void,
  ): void {
    const sorted = [...partitions].sort((one, other) => one - other);
    this.#postgres.locks.acquireAll(transaction, sorted.map(lockName), () => {
      if (transaction.state !== 'running') return;
      const rows = sorted.map((partition) => {
        const life = { incarnation: '', epoch: '1', generation: '1' };
        const first: PartitionState = { partition, ...life, open: false, covered: undefined };
        const row = transaction.partitions.get(partition) ?? this.#postgres.partitions.get(partition) ?? first;
        const isNew = this.#nowMs() - (row.openedAtMs ?? Number.NEGATIVE_INFINITY) < GRACE_MS;
        const closes = row.open && !isNew && !this.#isTrustedElsewhere(row.incarnation, me);
        const next = closes ? { ...row, open: false, covered: undefined, epoch: String(BigInt(row.epoch) + 1n) } : row;
        if (next !== row || row === first) transaction.partitions.set(partition, next);
        return next;
      });
      reply(rows.some(({ open }) => open) ? undefined : rows.map(({ partition, epoch }) => ({ partition, epoch })));
    });
  }

  /** For partitions that are still in the epoch given. */
  recordCovered(partitions: readonly { partition: number; epoch: string }[], cursor: string, reply: () => void): void {
    const transaction = this.#postgres.begin();
    const names = partitions.map(({ partition }) => lockName(partition)).sort();
    this.#postgres.locks.acquireAll(transaction, names, () => {
      if (transaction.state !== 'running') return;
      for (const { partition, epoch } of partitions) {
        const row = this.#postgres.partitions.get(partition);
        const covered = cursor.slice(cursor.indexOf('/') + 1);
        if (row?.epoch === epoch) transaction.partitions.set(partition, { ...row, covered });
      }
      this.#postgres.commit(transaction);
      reply();
    });
  }

  /** Whether `cache_barrier` would return to who asked in `snapshot`. */
  covered(snapshot: string): boolean {
    const alive = [...this.gateways.values()].some(({ aliveUntilMs }) => aliveUntilMs > this.#nowMs());
    return (
      alive && [...this.#postgres.partitions.values()].every((row) => this.#postgres.covers(row.covered, snapshot))
    );
  }

  #isTrustedElsewhere(incarnation: string, me: string): boolean {
    if (incarnation === '') return false;
    return [...this.gateways].some(
      ([id, { aliveUntilMs, trusted }]) => id !== me && aliveUntilMs > this.#nowMs() && trusted.includes(incarnation),
    );
  }
}
