// The relay carries the change log to the store: whatever anybody commits to Postgres, by whatever program, is dropped
// from the store if it is older there. It writes no values. One gateway leads, to save work; another goes ahead when
// nothing moves.
import { Carried } from './carried.js';
import { DROPS_PER_CALL } from './catch-up.js';
import type { Clock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import type { Events } from './events.js';
import type { ChangedEntry, ChangeLog } from './ports.js';
import { type Position, Positions } from './positions.js';
import type { DropItem, GuardedPartition, Store } from './store.js';
import { Sweep } from './sweep.js';
import type { Trust } from './trust.js';

export const POLL_MS = 50;
/** How long nothing may move before a gateway that does not lead goes ahead. */
const IDLE_LEADER_MS = 1_000;
/** How often a gateway that does not lead looks whether anything moves. */
const WATCH_MS = 250;
/** How often the stored cursor moves when nothing changes. */
const ADVANCE_MS = 500;

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

export class Relay {
  readonly #options: RelayOptions;
  readonly #positions = new Positions();
  #running: Promise<void> | undefined;
  #stopped = false;
  readonly #carriedOver: Carried;
  readonly #sweep: Sweep;
  /** What the last look saw and dropped: seen again while its WAL is on the way to the disk, it need not be dropped again. */
  #carried: ReadonlySet<string> = new Set();
  /** The session of Postgres that looked last. */
  #session = '';
  #watchedAtMs = 0;
  #reachable = true;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#carriedOver = new Carried(options.partitions, options.clock.nowMs());
    this.#sweep = new Sweep(options);
  }

  /** Milliseconds since the change log was last known to be carried over to every partition, by whatever gateway. */
  get lagMs(): number {
    return this.#options.clock.nowMs() - this.#carriedOver.sinceMs;
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
        await this.#turn();
        this.#reachable = true;
      } catch (error) {
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
      await this.#sweep.nowAndThen(this.#positions.standing());
    } else if (this.#isTimeToWatch()) {
      await this.#standIn();
    }
  }

  /** A relay that does not lead looks after the leader a few times a second only. */
  #isTimeToWatch(): boolean {
    const now = this.#options.clock.nowMs();
    if (now - this.#watchedAtMs < WATCH_MS) return false;
    this.#watchedAtMs = now;
    return true;
  }

  /** Goes ahead where the leader, whoever it is, has left the stored cursor as it was for too long. */
  async #standIn(): Promise<void> {
    const { clock } = this.#options;
    await this.#refreshPositions(true);
    const now = clock.nowMs();
    const moves = [...this.#positions].map(([partition, { movedAtMs }]) => ({ partition, movedAtMs }));
    const left = moves.filter(({ movedAtMs }) => now - movedAtMs > IDLE_LEADER_MS).map(({ partition }) => partition);
    if (left.length > 0) await this.#look(new Set(left));
    await this.#sweep.nowAndThen(this.#positions.standing(new Set(left)));
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
    const lost: GuardedPartition[] = [];
    for (const [at, { partition, guard }] of asked.entries()) {
      const meta = metas[at];
      if (!meta) {
        this.#positions.delete(partition);
        const error = new CacheUnavailable('The store did not tell how far the log is carried over.', 'timeout');
        trust.failed(error, [{ partition, guard }]);
        continue;
      }
      const { incarnation, stored } = meta;
      const isIts = stored?.epoch === guard.epoch && stored.generation === guard.generation;
      if (!isIts || incarnation !== guard.incarnation) {
        this.#positions.delete(partition);
        lost.push({ partition, guard });
        continue;
      }
      const before = this.#positions.get(partition);
      if (before?.guard === guard && before.stored === stored.cursor) continue;
      const { cursor } = stored;
      // Somebody moved it since it was looked at.
      if (before?.guard === guard) this.#carriedOver.note([partition], clock.nowMs());
      this.#positions.set(partition, { guard, stored: cursor, durable: cursor, movedAtMs: clock.nowMs() });
    }
    trust.refute(lost, 'The relay met another generation or master.');
  }

  /** At all partitions, or at these only. */
  async #look(only?: ReadonlySet<number>): Promise<void> {
    const { changeLog, clock, trust } = this.#options;
    const startedMs = clock.nowMs();
    const carriedNow = new Set<string>();
    for (const [durable, partitions] of this.#positions.byCursor(only)) {
      const batch = await changeLog.changesSince(durable, partitions);
      if (this.#meet(batch.session)) carriedNow.clear();
      if (!batch.entries) {
        trust.abandon(this.#positions.standing(new Set(partitions)), 'The change log cannot be continued.');
        continue;
      }
      const fresh = batch.entries.filter((entry) => !this.#carried.has(nameOf(entry)));
      const reached = await this.#apply(fresh, partitions);
      for (const entry of batch.entries) if (reached.includes(entry.partition)) carriedNow.add(nameOf(entry));
      this.#positions.settle(batch, reached);
      await this.#advance(reached, fresh.length > 0);
      this.#carriedOver.note(reached, startedMs);
      if (batch.awaited) await this.#recordCovered(reached);
    }
    this.#carried = carriedNow;
  }

  /** Whether it is another session, maybe of a server that has crashed: what was not known to be on disk counts no more. */
  #meet(session: string): boolean {
    if (this.#session === session) return false;
    this.#session = session;
    this.#carried = new Set();
    this.#positions.doubt();
    return true;
  }

  /** Only what is certain to be on disk: after a crash others may get the ids of what was not. */
  async #recordCovered(partitions: readonly number[]): Promise<void> {
    for (const [cursor, group] of this.#positions.byCursor(new Set(partitions))) {
      const standing = this.#positions.standing(new Set(group));
      const covered = standing.map(({ partition, guard: { epoch } }) => ({ partition, epoch }));
      await this.#options.changeLog.recordCovered(covered, cursor);
    }
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
      const believed = trust.believed(batches, await store.drop(batches));
      for (const [index, { partition }] of batches.entries()) {
        if (believed[index]) continue;
        reached.delete(partition);
        this.#positions.delete(partition);
      }
    }
    if (entries.length > 0) events.emit({ kind: 'relayed', entries: entries.length, ms: clock.nowMs() - startedMs });
    return [...reached];
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
}

const nameOf = ({ view, key, version }: ChangedEntry): string => `${view}:${key}@${version}`;
