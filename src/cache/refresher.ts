// Keeps entries warm that are read near the end of their life: collects them, and has them loaded anew before they
// expire, by one statement per view and beat, so that who reads one all the time never waits for SQL. What nobody reads
// expires; where a beat fails, the next reader asks again.
import type { Clock } from './clock.js';
import type { Events } from './events.js';
import { type Hit, RENEW_AFTER } from './store.js';
import { keysPerBatch, type Upkeep } from './upkeep.js';
import type { AnyView } from './view.js';

/** Of entries that live shortly, a beat is half of what they have left. */
export const BEAT_MS = 500;
/** Of one view. Beyond it an entry has to be read again once others are done. */
const MAX_DUE = 10_000;

export interface RefresherOptions<Source> {
  readonly upkeep: Pick<Upkeep<Source>, 'renew'>;
  readonly clock: Clock;
  readonly events: Events;
}

interface Due<Source> {
  readonly view: AnyView<Source>;
  readonly keys: Set<string>;
  beatMs: number;
  readonly running: Promise<void>;
}

export class Refresher<Source> {
  readonly #options: RefresherOptions<Source>;
  /** Views of which anything is due: an idle cache has no timer. */
  readonly #due = new Map<string, Due<Source>>();
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
    const beatMs = Math.min(BEAT_MS, Math.floor((ttlMs * (1 - RENEW_AFTER)) / 2));
    const due = this.#due.get(view.name);
    if (!due) {
      this.#begin(view, key, beatMs);
      return;
    }
    due.beatMs = Math.min(due.beatMs, beatMs);
    if (due.keys.size < MAX_DUE) due.keys.add(key);
  }

  /** From when on, on the engine's clock, a reader of this has to be told here. */
  dueMs(view: AnyView<Source>, { ageMs, ttlMs, value }: Pick<Hit, 'ageMs' | 'ttlMs' | 'value'>): number {
    if (!view.keepWarm || value === null) return Number.POSITIVE_INFINITY;
    return this.#options.clock.nowMs() + ttlMs * RENEW_AFTER - ageMs;
  }

  /** Resolves once nothing is under way; nothing begins any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop();
    await Promise.all([...this.#due.values()].map(({ running }) => running));
    this.#due.clear();
  }

  #begin(view: AnyView<Source>, key: string, beatMs: number): void {
    const due: Omit<Due<Source>, 'running'> = { view, keys: new Set([key]), beatMs };
    this.#due.set(view.name, Object.assign(due, { running: this.#run(due) }));
  }

  /** Runs while anything of the view is due. */
  async #run(due: Omit<Due<Source>, 'running'>): Promise<void> {
    while (due.keys.size > 0) {
      await Promise.race([this.#options.clock.sleep(due.beatMs), this.#stopping]);
      if (this.#stopped) return;
      await this.#renew(due);
    }
    this.#due.delete(due.view.name);
  }

  async #renew({ view, keys }: Pick<Due<Source>, 'view' | 'keys'>): Promise<void> {
    const batch = [...keys].slice(0, keysPerBatch(view));
    try {
      await this.#options.upkeep.renew(view, batch);
    } catch (error) {
      // What stands goes on being hit.
      this.#options.events.emit({ kind: 'failing', part: 'refresher', error });
    }
    for (const key of batch) keys.delete(key);
  }
}
