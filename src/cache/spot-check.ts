// Compares a small share of live hits with SQL, by version and beside the reads: an entry that the store vouches for and
// that is not what SQL says is a defect, which is counted, told, and dropped.
import type { Clock } from './clock.js';
import type { Comparison } from './comparison.js';
import type { Events, Listener } from './events.js';
import { type AnyView, printedKey } from './view.js';

export interface SpotCheckOptions<Source> {
  readonly comparison: Comparison<Source>;
  /** Drops what stands under a key. */
  readonly drop: (view: AnyView<Source>, keys: readonly string[]) => Promise<void>;
  readonly views: ReadonlyMap<string, AnyView<Source>>;
  /** Of hits that are compared, 0 to 1. */
  readonly share: number;
  /** Gives 0 ≤ n < 1. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly events: Events;
}

/** Of live hits, how many a gateway compares. */
export const COMPARED_SHARE = 0.001;
/** Hits met while so many are compared, or rest from it, are let go. */
const PLACES = 4;
/** A place rests for so many times as long as its comparison took: of SQL's time, little is spent on large entries. */
const REST = 50;
const MAX_REST_MS = 10_000;

export class SpotChecks<Source> {
  readonly #options: SpotCheckOptions<Source>;
  #taken = 0;
  #stopped = false;

  constructor(options: SpotCheckOptions<Source>) {
    this.#options = options;
    if (options.share > 0) options.events.on(this.#met);
  }

  /** Nothing is told or dropped from here on. */
  stop(): void {
    this.#stopped = true;
  }

  readonly #met: Listener = (event) => {
    if (event.kind !== 'hit' || this.#stopped || this.#taken >= PLACES) return;
    const { random, share, views, clock } = this.#options;
    if (random() >= share) return;
    const view = views.get(event.view);
    if (!view) return;
    const { key } = event;
    this.#taken++;
    clock.defer(() => void this.#check(view, key));
  };

  async #check(view: AnyView<Source>, key: string): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    // A store or a database out of reach is told by whoever needs it.
    await this.#compare(view, key).catch(() => {});
    await clock.sleep(Math.min(MAX_REST_MS, REST * (clock.nowMs() - startedMs)));
    this.#taken--;
  }

  async #compare(view: AnyView<Source>, key: string): Promise<void> {
    const { comparison, drop, events } = this.#options;
    const verdict = (await comparison.compare(view, [key], 'version')).get(key);
    if (verdict?.kind !== 'mismatch' || this.#stopped) return;
    const { storeVersion, sqlVersion } = verdict;
    events.emit({ kind: 'mismatch', view: view.name, key: printedKey(view, key), storeVersion, sqlVersion });
    await drop(view, [key]);
  }
}
