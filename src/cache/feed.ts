// The change feed: tells this process of every change that anybody commits, by whatever program and gateway, while
// somebody listens. It drops and fills nothing; that is the relay's work, which may come after it.
import { type Change, ChangeStream, type Interest } from './change-stream.js';
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import type { Floors } from './floors.js';
import type { ChangeLog } from './ports.js';

const LOOK_MS = 100;

export interface ChangeFeedOptions {
  readonly changeLog: ChangeLog;
  readonly partitions: number;
  readonly clock: Clock;
  readonly events: Events;
  /** Raised to each version before anybody is told of it. */
  readonly floors: Floors;
}

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #partitions: readonly number[];
  readonly #listeners = new Set<ChangeStream>();
  /** All before it was told, or was before anybody listened. */
  #cursor = '';
  #turn: Promise<unknown> = Promise.resolve();
  #following: Promise<void> | undefined;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#partitions = Array.from({ length: options.partitions }, (_, partition) => partition);
  }

  /** Streams that have not ended. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /**
   * Changes of interest that are committed from now on: nothing from before the call, and all from after it resolved.
   * A stream that nobody takes from any more must be ended by `return`. Rejects with what the database threw.
   */
  listen(interest: Interest): Promise<ChangeStream> {
    return this.#alone(async () => {
      if (this.#listeners.size > 0) await this.#look();
      else this.#cursor = await this.#options.changeLog.now();
      const stream = new ChangeStream(interest, () => this.#listeners.delete(stream));
      this.#listeners.add(stream);
      this.#following ??= this.#follow();
      return stream;
    });
  }

  /** Ends every stream, then resolves when the last look is over. */
  async close(): Promise<void> {
    for (const stream of [...this.#listeners]) await stream.return();
    await this.#following;
  }

  /** Looks until nobody listens. A look that fails is repeated from the same place. */
  async #follow(): Promise<void> {
    const { clock, events } = this.#options;
    while (this.#listeners.size > 0) {
      await this.#alone(() => this.#look()).catch((error: unknown) => {
        events.emit({ kind: 'failing', part: 'feed', error });
      });
      await clock.sleep(LOOK_MS);
    }
    this.#following = undefined;
  }

  async #look(): Promise<void> {
    const { entries, cursor } = await this.#options.changeLog.changesSince(this.#cursor, this.#partitions);
    this.#cursor = cursor;
    if (entries) this.#tell(entries.map(changeOf));
    else for (const stream of [...this.#listeners]) stream.interrupt();
  }

  /** Runs `act` when all that was begun before is over: the cursor moves in one place at a time. */
  #alone<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #tell(changes: readonly Change[]): void {
    for (const { view, key, version } of changes) this.#options.floors.raise(view, key, version);
    for (const stream of [...this.#listeners]) for (const change of changes) stream.push(change);
  }
}

const changeOf = ({ view, key, version }: { view: string; key: string; version: string }): Change => ({
  view,
  key,
  version: BigInt(version),
});
