// The relay carries the change log to the store: whatever anybody commits to Postgres, by whatever program, is dropped
// from the store if it is older there. It writes no values. One gateway leads, to save work; another goes ahead when
// nothing moves.
//
// A cursor counts as stored only once the WAL it saw is on disk: a crash of Postgres may undo what was not, and give
// its transaction ids to others.
import { DROPS_PER_CALL } from './catch-up.js';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import type { ChangeBatch, ChangedEntry, ChangeLog } from './ports.js';
import type { DropItem, Guard, GuardedPartition, Store } from './store.js';
import type { Trust } from './trust.js';

export const POLL_MS = 50;
/** How long nothing may move before a gateway that does not lead goes ahead. */
const IDLE_LEADER_MS = 1_000;
/** How often a gateway that does not lead looks whether anything moves. */
const WATCH_MS = 250;
/** How often the stored cursor moves when nothing changes. */
const ADVANCE_MS = 500;
/** How often this gateway's guards are held against what Postgres records. */
const COMPARE_MS = 1_000;
const SWEEP_MS = 5_000;
const SWEEP_AGE_MS = 1_000;
/** Above every version: removes whatever stands. */
const ANY_VERSION = '9'.repeat(19);

export interface RelayOptions {
  readonly store: Store;
  readonly trust: Trust;
  readonly changeLog: ChangeLog;
  readonly partitions: number;
  readonly clock: Clock;
  readonly events: Events;
  /** Whether this gateway leads; asked before each look. */
  readonly leads: () => Promise<boolean>;
}

/** Where one partition stands. */
interface Position {
  readonly guard: Guard;
  /** As the store has it. */
  stored: string;
  /** Applied, and its WAL on disk: no crash of Postgres undoes it. The next look continues from here. */
  durable: string;
  /** Applied, but a crash may still undo what it saw. */
  candidate?: { readonly cursor: string; readonly lsn: bigint };
  movedAtMs: number;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #positions = new Map<number, Position>();
  #running: Promise<void> | undefined;
  #stopped = false;
  #lookedAtMs: number;
  #sweptAtMs: number;
  /** What the last look saw and dropped: seen again while its WAL is on the way to the disk, it need not be dropped again. */
  #carried: ReadonlySet<string> = new Set();
  #comparedAtMs = 0;
  #watchedAtMs = 0;
  #reachable = true;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#lookedAtMs = options.clock.nowMs();
    this.#sweptAtMs = options.clock.nowMs();
  }

  /** Milliseconds since the change log was last known to be carried over. */
  get lagMs(): number {
    return this.#options.clock.nowMs() - this.#lookedAtMs;
  }

  /** Carries over everything that was committed before the call. Rejects when Postgres or the store is out of reach. */
  async catchUp(): Promise<void> {
    await this.#refreshPositions();
    await this.#look();
  }

  /** Polls until `stop`. */
  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#compareNowAndThen();
        await this.#turn();
        this.#reachable = true;
      } catch (error) {
        if (error instanceof CacheUnavailable) this.#options.trust.failed(error);
        this.#options.events.emit({ kind: 'failing', part: 'relay', error });
        this.#positions.clear();
        this.#carried = new Set();
        this.#reachable = false;
      }
      await this.#options.clock.sleep(this.#reachable ? POLL_MS : 2 * POLL_MS);
    }
  }

  async #turn(): Promise<void> {
    if (this.#reachable && (await this.#options.leads())) {
      await this.catchUp();
      await this.#sweepNowAndThen();
    } else if (this.#isTimeToWatch() && (await this.#nothingMoves())) {
      await this.catchUp();
    }
  }

  /** A relay that does not lead looks after the leader a few times a second only. */
  #isTimeToWatch(): boolean {
    const now = this.#options.clock.nowMs();
    if (now - this.#watchedAtMs < WATCH_MS) return false;
    this.#watchedAtMs = now;
    return true;
  }

  async #compareNowAndThen(): Promise<void> {
    const { trust, clock } = this.#options;
    if (clock.nowMs() - this.#comparedAtMs < COMPARE_MS) return;
    this.#comparedAtMs = clock.nowMs();
    await trust.compare();
  }

  /** Whether the leader, whoever it is, has left the stored cursors where they were for too long. */
  async #nothingMoves(): Promise<boolean> {
    const { clock } = this.#options;
    await this.#refreshPositions(true);
    const movedAtMs = Math.max(0, ...[...this.#positions.values()].map((position) => position.movedAtMs));
    this.#lookedAtMs = Math.max(this.#lookedAtMs, movedAtMs);
    return clock.nowMs() - movedAtMs > IDLE_LEADER_MS;
  }

  /** Learns the stored cursor of partitions that have come under another guard, or of all. */
  async #refreshPositions(all = false): Promise<void> {
    const { store, trust, partitions, clock } = this.#options;
    const asked: GuardedPartition[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const guard = trust.guardOf(partition);
      if (!guard) this.#positions.delete(partition);
      else if (all || this.#positions.get(partition)?.guard !== guard) asked.push({ partition, guard });
    }
    if (asked.length === 0) return;
    const metas = await store.meta(asked.map(({ partition }) => partition));
    const lost: number[] = [];
    for (const [at, { partition, guard }] of asked.entries()) {
      const stored = metas[at]?.stored;
      if (!stored || stored.epoch !== guard.epoch || stored.generation !== guard.generation) {
        this.#positions.delete(partition);
        lost.push(partition);
        continue;
      }
      const before = this.#positions.get(partition);
      if (before?.guard === guard && before.stored === stored.cursor) continue;
      const { cursor } = stored;
      this.#positions.set(partition, { guard, stored: cursor, durable: cursor, movedAtMs: clock.nowMs() });
    }
    if (lost.length > 0) trust.distrust(lost, 'The relay met another generation.');
  }

  async #look(): Promise<void> {
    const { changeLog, clock, trust } = this.#options;
    const startedMs = clock.nowMs();
    let carried = 0;
    const carriedNow = new Set<string>();
    for (const [durable, partitions] of this.#byCursor()) {
      const batch = await changeLog.changesSince(durable, partitions);
      if (!batch.entries) {
        trust.abandon(partitions, 'The change log cannot be continued.');
        continue;
      }
      const fresh = batch.entries.filter((entry) => !this.#carried.has(this.#nameOf(entry)));
      const reached = await this.#apply(fresh, partitions);
      for (const entry of batch.entries) carriedNow.add(this.#nameOf(entry));
      this.#settle(batch, reached);
      await this.#advance(reached, fresh.length > 0);
      carried += reached.length;
      if (batch.awaited) await this.#recordCovered(reached, batch.cursor);
    }
    this.#carried = carriedNow;
    if (carried === this.#options.partitions) this.#lookedAtMs = startedMs;
  }

  /** One change under one guard. */
  #nameOf({ partition, view, key, version }: ChangedEntry): string {
    return `${this.#positions.get(partition)?.guard.epoch} ${view}:${key}@${version}`;
  }

  async #recordCovered(partitions: readonly number[], cursor: string): Promise<void> {
    const covered = partitions.flatMap((partition) => {
      const guard = this.#positions.get(partition)?.guard;
      return guard ? [{ partition, epoch: guard.epoch }] : [];
    });
    if (covered.length > 0) await this.#options.changeLog.recordCovered(covered, cursor);
  }

  #byCursor(): Map<string, number[]> {
    const groups = new Map<string, number[]>();
    for (const [partition, { durable }] of this.#positions) {
      groups.set(durable, [...(groups.get(durable) ?? []), partition]);
    }
    return groups;
  }

  /** Drops what changed, some of every partition in each round-trip. Gives the partitions whose store took every drop. */
  async #apply(entries: readonly ChangedEntry[], partitions: readonly number[]): Promise<number[]> {
    const { store, trust, clock, events } = this.#options;
    const startedMs = clock.nowMs();
    const reached = new Set(partitions);
    const pending = new Map<number, DropItem[]>();
    for (const { partition, ...item } of entries) {
      const items = pending.get(partition);
      if (items) items.push(item);
      else pending.set(partition, [item]);
    }
    for (let at = 0; ; at += DROPS_PER_CALL) {
      const batches = [...pending].flatMap(([partition, all]) => {
        const guard = reached.has(partition) ? this.#positions.get(partition)?.guard : undefined;
        const items = all.slice(at, at + DROPS_PER_CALL);
        return guard && items.length > 0 ? [{ partition, guard, items }] : [];
      });
      if (batches.length === 0) break;
      const replies = await store.drop(batches);
      const lost = batches.filter((_, index) => replies[index]?.kind !== 'done').map(({ partition }) => partition);
      for (const partition of lost) {
        reached.delete(partition);
        this.#positions.delete(partition);
      }
      if (lost.length > 0) trust.distrust(lost, 'The relay met another generation.');
    }
    if (entries.length > 0) events.emit({ kind: 'relayed', entries: entries.length, ms: clock.nowMs() - startedMs });
    return [...reached];
  }

  /** Moves on to what is certain to be on disk: this look, or an earlier one that had to wait for it. */
  #settle({ cursor, insertedLsn, flushedLsn }: ChangeBatch, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const position = this.#positions.get(partition);
      if (!position) continue;
      const { candidate } = position;
      if (flushedLsn >= insertedLsn) position.durable = cursor;
      else if (candidate && flushedLsn >= candidate.lsn) position.durable = candidate.cursor;
      if (flushedLsn >= (candidate?.lsn ?? 0n)) delete position.candidate;
      if (flushedLsn < insertedLsn) position.candidate ??= { cursor, lsn: insertedLsn };
    }
  }

  /** Tells the store how far the log is carried over: after changes, and now and then without any. */
  async #advance(partitions: readonly number[], changed: boolean): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.nowMs();
    const moves: (GuardedPartition & { from: string; to: string; position: Position })[] = [];
    for (const partition of partitions) {
      const position = this.#positions.get(partition);
      if (!position || position.durable === position.stored) continue;
      if (!changed && now - position.movedAtMs < ADVANCE_MS) continue;
      moves.push({ partition, guard: position.guard, from: position.stored, to: position.durable, position });
    }
    if (moves.length === 0) return;
    const advanced = await store.advance(moves);
    for (const [at, { partition, to, position }] of moves.entries()) {
      if (!advanced[at]) {
        this.#positions.delete(partition);
        continue;
      }
      position.stored = to;
      position.movedAtMs = now;
    }
  }

  /**
   * Ends the fences of transactions that have ended but whose gateway never said so and whom no reader met. Their
   * values go with them: whether the transaction committed is not asked.
   */
  async #sweepNowAndThen(): Promise<void> {
    const { store, changeLog, clock } = this.#options;
    if (clock.nowMs() - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = clock.nowMs();
    for (const [partition, { guard }] of this.#positions) {
      const fences = await store.standingFences({ partition, guard }, SWEEP_AGE_MS);
      const ended = fences.length > 0 ? await changeLog.ended(fences.flatMap(({ xids }) => xids)) : new Set<string>();
      const items = fences.flatMap(({ view, key, xids }) =>
        xids.filter((xid) => ended.has(xid)).map((xid) => ({ view, key, xid, version: ANY_VERSION })),
      );
      if (items.length > 0) await store.drop([{ partition, guard, items }]);
    }
  }
}
