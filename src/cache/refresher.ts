// Keeps entries warm that are read near the end of their life: collects them, and has them loaded anew before they
// expire, by one statement per view and beat. What nobody reads expires; where a beat fails, the next reader asks again.
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { type Hit, RENEW_AFTER } from './store.js';
import { keysPerBatch, type Upkeep } from './upkeep.js';
import type { AnyView } from './view.js';

export const BEAT_MS = 500;
/** Of one view. Beyond it an entry has to be read again once others are done. */
const MAX_DUE = 10_000;

export interface RefresherOptions<Source> {
  readonly upkeep: Upkeep<Source>;
  readonly clock: Clock;
  readonly events: Events;
}

interface Due<Source> {
  readonly view: AnyView<Source>;
  readonly keys: Set<string>;
}

export class Refresher<Source> {
  readonly #options: RefresherOptions<Source>;
  readonly #due = new Map<string, Due<Source>>();
  #running: Promise<void> | undefined;
  #stopped = false;
  #stop: () => void = () => {};
  readonly #stopping = new Promise<void>((resolve) => {
    this.#stop = resolve;
  });

  constructor(options: RefresherOptions<Source>) {
    this.#options = options;
  }

  /** A reader has met this. Absences are left to expire: anybody can name keys that do not exist. */
  met(view: AnyView<Source>, key: string, { ageMs, ttlMs, value }: Hit): void {
    if (!view.keepWarm || ageMs < ttlMs * RENEW_AFTER || value === null || this.#stopped) return;
    const due = this.#due.get(view.name) ?? { view, keys: new Set<string>() };
    this.#due.set(view.name, due);
    if (due.keys.size < MAX_DUE) due.keys.add(key);
    this.#running ??= this.#run();
  }

  /** Resolves once nothing is under way; nothing begins any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop();
    await this.#running;
    this.#due.clear();
  }

  /** Runs while anything is due, so that an idle cache has no timer. */
  async #run(): Promise<void> {
    while (this.#due.size > 0) {
      await Promise.race([this.#options.clock.sleep(BEAT_MS), this.#stopping]);
      if (this.#stopped) break;
      await Promise.all([...this.#due.values()].map((due) => this.#renew(due)));
    }
    this.#running = undefined;
  }

  async #renew({ view, keys }: Due<Source>): Promise<void> {
    const batch = [...keys].slice(0, keysPerBatch(view));
    try {
      await this.#options.upkeep.renew(view, batch);
    } catch (error) {
      // What stands goes on being hit.
      this.#options.events.emit({ kind: 'failing', part: 'refresher', error });
    }
    for (const key of batch) keys.delete(key);
    if (keys.size === 0) this.#due.delete(view.name);
  }
}
