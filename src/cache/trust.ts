// Which partitions of the store are believed, and under which guard. Believed is a partition whose master, meta and
// row in Postgres agree, once it has caught up, for as long as the lease on that row lasts. While a partition is not
// believed, reads go to Postgres at once.
//
// States of a partition, here: unknown → trusted (caught up) → unknown (mismatch, closed, or the store fell silent) → …
// and in Postgres: open → closed (by who finds it wrong) → open under the next epoch, when nobody trusts the last one.
import { catchUp, type Standing } from './catch-up.js';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import { Lease } from './lease.js';
import type { ChangeLog, Closed, PartitionRow } from './ports.js';
import type { Guard, Guarded, GuardedPartition, Store } from './store.js';
import { agreedOn, Succession } from './succession.js';
import { Withdrawal } from './withdrawal.js';

const RENEW_MS = 1_000;
const RETRY_MS = 100;
/** Failures that say nothing against the master as a whole. */
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
  readonly #lease: Lease;
  readonly #succession: Succession;
  readonly #withdrawal: Withdrawal;
  readonly #guards = new Map<number, Guard>();
  /** Generations whose log of changes cannot be continued. */
  readonly #abandoned = new Map<number, string>();
  #probing: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();
  #started = false;
  #wake = () => {};
  #learned: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #closed = false;

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#lease = new Lease({ ...options, trusted: () => this.#incarnations() });
    this.#succession = new Succession({ ...options, lease: this.#lease });
    this.#withdrawal = new Withdrawal({ clock: options.clock, lease: this.#lease, succession: this.#succession });
  }

  /** The guard to read and write a partition under; undefined while it is not trusted. */
  guardOf(partition: number): Guard | undefined {
    const guard = this.#guards.get(partition);
    return guard && this.vouches(partition, guard) ? guard : undefined;
  }

  /** Whether a reply under this guard may be believed. Ask once it has arrived: the lease may have ended meanwhile. */
  vouches(partition: number, guard: Guard): boolean {
    return this.#guards.get(partition) === guard && this.#lease.holds({ partition, epoch: guard.epoch });
  }

  /** @throws {CacheUnavailable} while the partition is not trusted. */
  requireGuard(partition: number): Guard {
    const guard = this.guardOf(partition);
    if (!guard) throw new CacheUnavailable('The cache is not trusted at the moment; try again.', 'untrusted');
    return guard;
  }

  get trusted(): boolean {
    return this.#unknown().length === 0;
  }

  /**
   * What the store replied to these batches, each as far as it may be believed: undefined where the guard did not hold, the
   * master did not confirm, or the lease ended before the reply came. Takes in what that says about the store.
   */
  believed<Reply>(
    batches: readonly GuardedPartition[],
    replies: readonly Guarded<Reply>[],
  ): readonly (readonly Reply[] | undefined)[] {
    const mismatched = batches.filter((_, at) => replies[at]?.kind === 'mismatch').map(({ partition }) => partition);
    if (mismatched.length > 0) this.distrust(mismatched, 'The store shows another guard.');
    return batches.map(({ partition, guard }, at) => {
      const reply = replies[at];
      if (reply?.kind === 'unavailable') this.failed(reply.error, [partition]);
      return reply?.kind === 'done' && this.vouches(partition, guard) ? reply.replies : undefined;
    });
  }

  /** The store did not answer for these partitions: distrusts them once that is no hiccup. */
  failed(error: CacheUnavailable, partitions: readonly number[]): void {
    if (HARMLESS.has(error.kind)) return;
    if (error.kind === 'timeout')
      this.#probing ??= this.#probe(error.message).finally(() => (this.#probing = undefined));
    else this.distrust(partitions, error.message);
  }

  /** The guard of these partitions did not hold. Learns what does, in the background. */
  distrust(partitions: readonly number[], reason: string): void {
    const known = partitions.filter((partition) => this.#guards.delete(partition));
    if (known.length > 0) this.#options.events.emit({ kind: 'distrusted', partitions: known, reason });
    void this.learn();
  }

  /** Gives these partitions up for an empty generation: their log of changes cannot be continued. */
  abandon(partitions: readonly number[], reason: string): void {
    for (const partition of partitions) this.#abandon(partition);
    this.distrust(partitions, reason);
  }

  /** Resolves once every partition is trusted (or this is closed); keeps trying until then. */
  learn(): Promise<void> {
    if (this.#closed || this.trusted) return Promise.resolve();
    if (!this.#started) this.#running = this.#run();
    this.#started = true;
    if (!this.#learned) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#learned = { promise, resolve };
    }
    this.#wake();
    return this.#learned.promise;
  }

  /** As {@link Withdrawal.shut}; gives these partitions up here first. */
  async shut(partitions: readonly number[]): Promise<readonly Closed[]> {
    this.distrust(partitions, 'A write could not be confirmed.');
    return this.#withdrawal.shut(partitions);
  }

  /** As {@link Withdrawal.quiet}. */
  quiet(closed: readonly Closed[]): Promise<boolean> {
    return this.#withdrawal.quiet(closed);
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#withdrawal.end();
    this.#wake();
    this.#learned?.resolve();
    await this.#lease.end();
    await this.#running;
  }

  #incarnations(): readonly string[] {
    const vouched = [...this.#guards].filter(([partition, guard]) => this.vouches(partition, guard));
    return [...new Set(vouched.map(([, { incarnation }]) => incarnation))];
  }

  #unknown(): number[] {
    return Array.from({ length: this.#options.partitions }, (_, at) => at).filter((at) => !this.guardOf(at));
  }

  #abandon(partition: number): void {
    this.#abandoned.set(partition, this.#lease.row(partition)?.generation ?? '');
  }

  #isAbandoned(row: PartitionRow | undefined): boolean {
    return row !== undefined && this.#abandoned.get(row.partition) === row.generation;
  }

  /** A time-out may be a hiccup: distrusts the partitions whose master is silent a second time. */
  async #probe(reason: string): Promise<void> {
    const known = [...this.#guards.keys()];
    const metas = await this.#options.store.meta(known);
    const silent = known.filter((_, at) => metas[at] === undefined);
    if (silent.length > 0) this.distrust(silent, reason);
  }

  /** Renews the lease for as long as this lives, and learns what is not trusted. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      let moved = false;
      try {
        await this.#lease.renew();
        this.#compare();
        if (!this.trusted) moved = await this.#learnOnce();
      } catch (error) {
        this.#options.events.emit({ kind: 'failing', part: 'trust', error });
      }
      if (this.trusted) {
        this.#learned?.resolve();
        this.#learned = undefined;
      }
      if (!moved) await this.#pause(this.trusted ? RENEW_MS : RETRY_MS);
    }
  }

  /** Ends early when trust is lost. */
  async #pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([this.#options.clock.sleep(ms), woken]);
  }

  /** Gives up the guards of epochs that are closed. */
  #compare(): void {
    const moved = [...this.#guards].filter(([partition, { epoch }]) => !this.#lease.holds({ partition, epoch }));
    const reason = 'Its epoch was closed.';
    if (moved.length > 0)
      this.distrust(
        moved.map(([partition]) => partition),
        reason,
      );
  }

  /** Goes one step with each partition that is not trusted; whether that led anywhere. */
  async #learnOnce(): Promise<boolean> {
    const { store, changeLog, events } = this.#options;
    // Rows before metas: newer ones could be those of an epoch that another gateway is just beginning.
    const unknown = this.#unknown().map((partition) => ({ partition, row: this.#lease.row(partition) }));
    const metas = await store.meta(unknown.map(({ partition }) => partition));
    const standing: Standing[] = [];
    const steps = unknown.map(async ({ partition, row }, at): Promise<boolean> => {
      const meta = metas[at];
      if (!meta?.incarnation) return false;
      const agreed = this.#isAbandoned(row) ? undefined : agreedOn(meta, row);
      if (!agreed) return this.#succession.step(partition, row, meta, this.#isAbandoned(row));
      standing.push({ partition, ...agreed });
      return false;
    });
    const stepping = Promise.allSettled(steps);
    const outcomes = await catchUp(store, changeLog, standing);
    // Trust is earned by a write: a master that answers but takes none would be trusted and doubted in turns.
    const caughtUp = standing.filter(({ partition }) => outcomes.get(partition) === 'caught up');
    const writable = await store.advance(
      caughtUp.map(({ cursor, ...where }) => ({ ...where, from: cursor, to: cursor })),
    );
    const learned = caughtUp.filter((_, at) => writable[at]);
    for (const { partition, guard } of learned) this.#guards.set(partition, guard);
    if (learned.length > 0) events.emit({ kind: 'trusted', partitions: learned.map(({ partition }) => partition) });
    const lost = standing.filter(({ partition }) => outcomes.get(partition) === 'discontinued');
    for (const { partition } of lost) this.#abandon(partition);
    const stepped = await stepping;
    for (const step of stepped) {
      if (step.status === 'rejected') events.emit({ kind: 'failing', part: 'trust', error: step.reason });
    }
    // Learned counts too: the next look tells the others what is trusted here.
    return learned.length > 0 || lost.length > 0 || stepped.some((step) => step.status === 'fulfilled' && step.value);
  }
}
