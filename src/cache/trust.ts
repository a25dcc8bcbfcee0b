// Which partitions of the store are believed, and under which guard. Believed is a partition whose master, meta and
// row in Postgres agree, once it has caught up, for as long as the lease on that row lasts. While a partition is not
// believed, reads go to Postgres at once.
//
// States of a partition, here: unknown → trusted (caught up) → unknown (mismatch, closed, or the store fell silent) → …
// and in Postgres: open → closed (by who finds it wrong) → open under the next epoch, when nobody trusts the last one.
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import { Guards } from './guards.js';
import { learnOnce } from './learning.js';
import { Lease } from './lease.js';
import type { ChangeLog, Closed } from './ports.js';
import type { Guard, Guarded, GuardedPartition, Store } from './store.js';
import { Succession } from './succession.js';
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
  readonly #guards: Guards;
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
    this.#lease = new Lease({ ...options, trusted: () => this.#guards.incarnations() });
    this.#guards = new Guards(this.#lease);
    this.#succession = new Succession({ ...options, lease: this.#lease });
    this.#withdrawal = new Withdrawal({ clock: options.clock, lease: this.#lease, succession: this.#succession });
  }

  /** The guard to read and write a partition under; undefined while it is not trusted. */
  guardOf(partition: number): Guard | undefined {
    const guard = this.#guards.get(partition);
    return guard && this.vouches(partition, guard) ? guard : undefined;
  }

  /** The guard to read a partition under; none either while a silence of the store is looked into: one wait is enough. */
  guardForReads(partition: number): Guard | undefined {
    return this.#probing ? undefined : this.guardOf(partition);
  }

  /** Whether a reply under this guard may be believed. Ask once it has arrived: the lease may have ended meanwhile. */
  vouches(partition: number, guard: Guard): boolean {
    return this.#guards.vouches(partition, guard);
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
    const mismatched = batches.filter((_, at) => replies[at]?.kind === 'mismatch');
    this.refute(mismatched, 'The store shows another guard.');
    return batches.map((batch, at) => {
      const { partition, guard } = batch;
      const reply = replies[at];
      if (reply?.kind === 'unavailable') this.failed(reply.error, [batch]);
      return reply?.kind === 'done' && this.vouches(partition, guard) ? reply.replies : undefined;
    });
  }

  /** The store did not answer those who asked so: distrusts the partitions once that is no hiccup. */
  failed(error: CacheUnavailable, asked: readonly GuardedPartition[]): void {
    if (HARMLESS.has(error.kind) || this.#guards.inForce(asked).length === 0) return;
    if (error.kind === 'timeout')
      this.#probing ??= this.#probe(error.message).finally(() => (this.#probing = undefined));
    else this.refute(asked, error.message);
  }

  /** The store does not show these guards. Where another one is in force by now, that says nothing against it. */
  refute(asked: readonly GuardedPartition[], reason: string): void {
    const partitions = this.#guards.inForce(asked);
    if (partitions.length > 0) this.distrust(partitions, reason);
  }

  /** Gives these partitions up. Learns what to believe instead, in the background. */
  distrust(partitions: readonly number[], reason: string): void {
    const known = partitions.filter((partition) => this.#guards.delete(partition));
    if (known.length > 0) this.#options.events.emit({ kind: 'distrusted', partitions: known, reason });
    void this.learn();
  }

  /** Gives these partitions up for an empty generation: their log of changes cannot be continued. */
  abandon(given: readonly GuardedPartition[], reason: string): void {
    for (const { partition, guard } of given) this.#abandoned.set(partition, guard.generation);
    this.refute(given, reason);
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

  #unknown(): number[] {
    return Array.from({ length: this.#options.partitions }, (_, at) => at).filter((at) => !this.guardOf(at));
  }

  /** A time-out may be a hiccup: distrusts the partitions whose master is silent a second time. */
  async #probe(reason: string): Promise<void> {
    const known = [...this.#guards].map(([partition, guard]) => ({ partition, guard }));
    const metas = await this.#options.store.meta(known.map(({ partition }) => partition));
    const silent = known.filter((_, at) => metas[at] === undefined);
    this.refute(silent, reason);
  }

  /** Renews the lease for as long as this lives, and learns what is not trusted. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      const looked = await this.#attempted(() => this.#look());
      const moved = looked && !this.trusted && (await this.#looking(this.#attempted(() => this.#learnOnce())));
      if (this.trusted) {
        this.#learned?.resolve();
        this.#learned = undefined;
      }
      if (!moved && !this.#closed) await this.#pause(this.trusted ? RENEW_MS : RETRY_MS);
    }
  }

  /** Whether it led anywhere; what went wrong is told. */
  async #attempted(act: () => Promise<boolean>): Promise<boolean> {
    try {
      return await act();
    } catch (error) {
      this.#options.events.emit({ kind: 'failing', part: 'trust', error });
      return false;
    }
  }

  /** Gives up the guards of epochs that are closed. */
  async #look(): Promise<boolean> {
    await this.#lease.renew();
    const lapsed = this.#guards.lapsed();
    if (lapsed.length > 0) this.distrust(lapsed, 'Its epoch was closed.');
    return true;
  }

  /** Renews the lease until `step` is over: to catch up may take longer than a lease lasts, for the other partitions too. */
  async #looking(step: Promise<boolean>): Promise<boolean> {
    let over = false;
    const ended = step.finally(() => {
      over = true;
      this.#wake();
    });
    while (!over) {
      await this.#pause(RENEW_MS);
      if (!over && !this.#closed) await this.#attempted(() => this.#look());
    }
    return ended;
  }

  /** Ends early when trust is lost. */
  async #pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([this.#options.clock.sleep(ms), woken]);
  }

  /** Goes one step with each partition that is not trusted; whether that led anywhere. */
  async #learnOnce(): Promise<boolean> {
    const unknown = this.#unknown().map((partition) => {
      const row = this.#lease.row(partition);
      return { partition, row, abandoned: row !== undefined && this.#abandoned.get(partition) === row.generation };
    });
    const { learned, discontinued, stepped } = await learnOnce(
      { ...this.#options, succession: this.#succession },
      unknown,
    );
    // Looks went on meanwhile: a guard whose epoch they have shown closed is set here, and never vouched for.
    for (const { partition, guard } of learned) this.#guards.set(partition, guard);
    for (const { partition, guard } of discontinued) this.#abandoned.set(partition, guard.generation);
    const trusted = learned.filter(({ partition, guard }) => {
      const row = this.#lease.row(partition);
      return row?.open === true && row.epoch === guard.epoch;
    });
    if (trusted.length > 0)
      this.#options.events.emit({ kind: 'trusted', partitions: trusted.map(({ partition }) => partition) });
    // Learned counts too: the next look tells the others what is trusted here.
    return (await stepped) || learned.length > 0 || discontinued.length > 0;
  }
}
