// Which partitions of the store are believed, and under which guard. Believed is a partition whose master, meta and
// row in Postgres agree, once it has caught up; a master in a new life begins an empty generation. While a partition is
// not believed, reads go to Postgres at once and writes are refused.
//
// States of a partition: unknown → trusted (learned) → unknown (mismatch, or the store fell silent) → trusted …
import { catchUp } from './catch-up.js';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import type { ChangeLog, PartitionRow } from './ports.js';
import type { Guard, Meta, Store } from './store.js';

/** This many time-outs in a row open the circuit; a lost connection opens it at once. */
const TIMEOUTS_TO_OPEN = 3;
const RETRY_MS = 100;
/** Failures that say nothing against the store as a whole. */
const HARMLESS: ReadonlySet<CacheUnavailable['kind']> = new Set(['memory', 'untrusted', 'reply']);

export interface TrustOptions {
  readonly store: Store;
  readonly changeLog: ChangeLog;
  readonly partitions: number;
  readonly clock: Clock;
  readonly events: Events;
}

export class Trust {
  readonly #options: TrustOptions;
  readonly #guards = new Map<number, Guard>();
  readonly #abandoned = new Set<number>();
  #timeouts = 0;
  #learning: Promise<void> | undefined;
  #closed = false;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** The guard to read and write a partition under; undefined while it is not trusted. */
  guardOf(partition: number): Guard | undefined {
    return this.#guards.get(partition);
  }

  /** @throws {CacheUnavailable} while the partition is not trusted. */
  requireGuard(partition: number): Guard {
    const guard = this.#guards.get(partition);
    if (!guard) throw new CacheUnavailable('The cache is not trusted at the moment; try again.', 'untrusted');
    return guard;
  }

  /** The incarnations that are trusted now. */
  get incarnations(): readonly string[] {
    return [...new Set([...this.#guards.values()].map(({ incarnation }) => incarnation))];
  }

  get trusted(): boolean {
    return this.#guards.size === this.#options.partitions;
  }

  /** The store answered. */
  succeeded(): void {
    this.#timeouts = 0;
  }

  /** The store did not answer: distrusts all of it once that is no hiccup. */
  failed(error: unknown): void {
    if (error instanceof CacheUnavailable && HARMLESS.has(error.kind)) return;
    const hiccup = error instanceof CacheUnavailable && error.kind === 'timeout' && ++this.#timeouts < TIMEOUTS_TO_OPEN;
    if (!hiccup) this.distrust([...this.#guards.keys()], error instanceof Error ? error.message : 'The store failed.');
  }

  /** The guard of these partitions did not hold. Learns what does, in the background. */
  distrust(partitions: readonly number[], reason: string): void {
    const known = partitions.filter((partition) => this.#guards.delete(partition));
    if (known.length > 0) this.#options.events.emit({ kind: 'distrusted', partitions: known, reason });
    void this.learn();
  }

  /** Distrusts partitions for which Postgres records another guard: other gateways have moved on without this one. */
  async compare(): Promise<void> {
    const rows = await this.#options.changeLog.partitions();
    const moved = rows.filter(({ partition, incarnation, epoch }) => {
      const guard = this.#guards.get(partition);
      return (
        guard && (BigInt(epoch) > BigInt(guard.epoch) || (epoch === guard.epoch && incarnation !== guard.incarnation))
      );
    });
    if (moved.length === 0) return;
    this.distrust(
      moved.map(({ partition }) => partition),
      'Other gateways have begun another generation.',
    );
  }

  /** Gives these partitions up for an empty generation: their log of changes cannot be continued. */
  abandon(partitions: readonly number[], reason: string): void {
    for (const partition of partitions) this.#abandoned.add(partition);
    this.distrust(partitions, reason);
  }

  /** Resolves once every partition is trusted (or this is closed); keeps trying until then. */
  learn(): Promise<void> {
    if (this.#closed || this.trusted) return Promise.resolve();
    this.#learning ??= this.#learnUntilTrusted();
    return this.#learning;
  }

  close(): void {
    this.#closed = true;
  }

  async #learnUntilTrusted(): Promise<void> {
    while (!this.#closed && !this.trusted) {
      try {
        await this.#learnOnce();
        this.#timeouts = 0;
      } catch (error) {
        this.#options.events.emit({ kind: 'failing', part: 'trust', error });
      }
      if (!this.trusted) await this.#options.clock.sleep(RETRY_MS);
    }
    // In one step with the last look at `trusted`: a trust that is lost from here on must not wait for this promise.
    this.#learning = undefined;
  }

  async #learnOnce(): Promise<void> {
    const { store, changeLog, partitions, events } = this.#options;
    const unknown = Array.from({ length: partitions }, (_, at) => at).filter((at) => !this.#guards.has(at));
    // Rows first: seen after the metas they could be those of a generation that another gateway is just beginning there.
    const rows = new Map((await changeLog.partitions()).map((row) => [row.partition, row]));
    const metas = await store.meta(unknown);
    const standing = unknown.flatMap((partition, at) => {
      const agreed = this.#abandoned.has(partition) ? undefined : agreedOn(metas[at], rows.get(partition));
      return agreed ? [{ partition, ...agreed }] : [];
    });
    const outcomes = await catchUp(store, changeLog, standing);
    for (const { partition, guard } of standing) {
      if (outcomes.get(partition) === 'caught up') this.#guards.set(partition, guard);
    }
    const begun: number[] = [];
    for (const [at, partition] of unknown.entries()) {
      const meta = metas[at];
      const outcome = outcomes.get(partition);
      if (!meta?.incarnation || outcome === 'caught up' || outcome === 'moved') continue;
      const guard = await this.#begin(partition, meta.incarnation, meta, rows.get(partition));
      if (!guard) continue;
      begun.push(partition);
      this.#abandoned.delete(partition);
      this.#guards.set(partition, guard);
    }
    if (begun.length > 0) events.emit({ kind: 'generation', partitions: begun });
    const learned = unknown.filter((partition) => this.#guards.has(partition));
    if (learned.length > 0) events.emit({ kind: 'trusted', partitions: learned });
  }

  /**
   * Begins an empty generation where store and Postgres disagree, a number never used before: what the old one left in
   * the store must stay absent. Of gateways that begin together one wins in Postgres and the others take its row. The
   * cursor may be now, because nothing of the generation is stored yet.
   */
  async #begin(
    partition: number,
    incarnation: string,
    meta: Meta,
    row: PartitionRow | undefined,
  ): Promise<Guard | undefined> {
    const { store, changeLog, events } = this.#options;
    const next = await changeLog.beginGeneration(partition, incarnation, row?.epoch, meta.stored?.epoch ?? '0');
    if (next.incarnation !== incarnation) {
      const error = new CacheUnavailable(
        'The gateways on this database use another Redis; set REDIS_URL to theirs.',
        'untrusted',
      );
      events.emit({ kind: 'failing', part: 'trust', error });
      return undefined;
    }
    const { epoch, generation } = next;
    const begun = await store.begin(partition, { incarnation, epoch, generation }, await changeLog.now());
    return begun ? { incarnation, epoch, generation } : undefined;
  }
}

/** The guard and cursor of a partition whose master, meta and row in Postgres agree. */
export function agreedOn(
  meta: Meta | undefined,
  row: PartitionRow | undefined,
): { guard: Guard; cursor: string } | undefined {
  const stored = meta?.stored;
  const agree =
    stored !== undefined &&
    row !== undefined &&
    stored.incarnation === meta?.incarnation &&
    row.incarnation === meta.incarnation &&
    stored.epoch === row.epoch &&
    stored.generation === row.generation;
  if (!agree) return undefined;
  const { incarnation, epoch, generation } = row;
  return { guard: { incarnation, epoch, generation }, cursor: stored.cursor };
}
