// This gateway's lease on what Postgres says of the partitions. Postgres grants it with each look, for some seconds
// from when the look was sent; who cannot reach Postgres that long believes no store. That is what lets the others move
// on: once an epoch is closed, they know when the last one has stopped to trust what was before.
import type { Clock } from './clock.js';
import type { ChangeLog, Closed, OtherGateway, PartitionRow, Renewal } from './ports.js';

/** Longer than a hiccup of Postgres, shorter than what a user would wait for. */
export const TRUST_LEASE_MS = 3_000;
/** For clocks that do not run equally fast, and for what is between a look at the clock and what follows from it. */
const MARGIN_MS = 300;
/** After this long nobody holds a lease that was granted before. */
const LAPSED_MS = TRUST_LEASE_MS + MARGIN_MS;

export interface LeaseOptions {
  readonly changeLog: Pick<ChangeLog, 'renew'>;
  readonly clock: Clock;
  /** The incarnations that are trusted here now. */
  readonly trusted: () => readonly string[];
}

export class Lease {
  readonly #options: LeaseOptions;
  #untilMs = Number.NEGATIVE_INFINITY;
  #adopted = 0n;
  #rows: ReadonlyMap<number, PartitionRow> = new Map();
  /** When this gateway first saw each closed epoch, by its own clock and by turn. */
  #closings: ReadonlyMap<number, { readonly epoch: string; readonly turn: bigint; readonly sinceMs: number }> =
    new Map();
  /** The other gateways, and since when each has not looked. */
  #others: ReadonlyMap<string, OtherGateway & { readonly sinceMs: number }> = new Map();
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #ended = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether the rows may still be believed. */
  get live(): boolean {
    return this.#options.clock.nowMs() < this.#untilMs;
  }

  /** What Postgres said of the partition when it was last asked. */
  row(partition: number): PartitionRow | undefined {
    return this.#rows.get(partition);
  }

  /** Whether the epoch was open when Postgres was last asked, and that was not too long ago. */
  holds({ partition, epoch }: Closed): boolean {
    const row = this.#rows.get(partition);
    return row?.open === true && row.epoch === epoch && this.live;
  }

  /**
   * Whether no gateway can believe any more what was before this epoch was closed: each of them has looked since and has
   * the answer, or no lease from before can be alive.
   */
  quiet({ partition, epoch }: Closed): boolean {
    const closing = this.#closings.get(partition);
    if (closing?.epoch !== epoch) return false;
    const now = this.#options.clock.nowMs();
    return now - closing.sinceMs >= LAPSED_MS || [...this.#others.values()].every(({ turn }) => turn > closing.turn);
  }

  /**
   * Looks anew, and tells the others which incarnations are trusted here. Callers join a look that is not sent yet: what they
   * learn is from after they asked. Rejects with what the database threw, or when this gateway has ended.
   */
  renew(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      const look = this.#renew();
      this.#next = undefined;
      this.#current = look.catch(() => {});
      return look;
    });
    return this.#next;
  }

  /** Nothing is asked for any more: the others must not hear of this gateway again. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#current;
  }

  /** The first look of a gateway that the others do not know only makes it known, so it looks again. */
  async #renew(): Promise<void> {
    for (let look = 1; look <= 2; look++) {
      if (this.#ended) throw new Error('This gateway has ended.');
      const { changeLog, clock, trusted } = this.#options;
      const sentMs = clock.nowMs();
      const silent = [...this.#others.values()].filter(({ sinceMs }) => sentMs - sinceMs >= LAPSED_MS);
      const renewal = await changeLog.renew({ adopted: this.#adopted, trusted: trusted(), silent });
      if (renewal) return this.#adopt(renewal, sentMs);
    }
    throw new Error('Postgres did not take this gateway on its list.');
  }

  #adopt({ rows, began, ended, others }: Renewal, sentMs: number): void {
    const now = this.#options.clock.nowMs();
    const closings = rows.flatMap(({ partition, epoch, open }) => {
      const before = this.#closings.get(partition);
      if (open) return [];
      return [[partition, before?.epoch === epoch ? before : { epoch, turn: ended, sinceMs: now }] as const];
    });
    const known = others.map((other) => {
      const before = this.#others.get(other.id);
      return [other.id, before?.beat === other.beat ? before : { ...other, sinceMs: now }] as const;
    });
    this.#untilMs = sentMs + TRUST_LEASE_MS;
    this.#rows = new Map(rows.map((row) => [row.partition, row]));
    this.#closings = new Map(closings);
    this.#others = new Map(known);
    this.#adopted = began;
  }
}
