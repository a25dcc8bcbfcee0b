// The engine, put together: readers, the write path's half, trust and relay over one store.
import { type Clock, systemClock } from './clock.js';
import { UnknownView } from './errors.js';
import { Events } from './events.js';
import { partitionOf } from './partition.js';
import { type TtlOverrides, ttlPolicyOf } from './policy.js';
import type { ChangeLog } from './ports.js';
import { Reader } from './reader.js';
import { Refill } from './refill.js';
import { Relay } from './relay.js';
import { RequestCache } from './request.js';
import { Stats, type ViewStats } from './stats.js';
import type { EntryFacts, Store, StoredValue } from './store.js';
import { Trust } from './trust.js';
import { type AnyView, fieldOf, type Loaded } from './view.js';
import { Writer } from './writer.js';

export interface CacheOptions<Source> {
  readonly store: Store;
  readonly changeLog: ChangeLog;
  /** What views load from. */
  readonly source: Source;
  readonly views: readonly AnyView<Source>[];
  readonly partitions: number;
  readonly overrides?: TtlOverrides;
  readonly leads?: () => Promise<boolean>;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface CacheStatus {
  readonly store: 'redis' | 'memory';
  readonly trusted: boolean;
  readonly relayLagMs: number;
  readonly views: readonly (ViewStats & { readonly view: string })[];
}

export class Cache<Source> {
  readonly events = new Events();
  readonly writer: Writer;
  readonly #options: CacheOptions<Source>;
  readonly #clock: Clock;
  readonly #views: ReadonlyMap<string, AnyView<Source>>;
  readonly #trust: Trust;
  readonly #relay: Relay;
  readonly #refill: Refill<Source>;
  readonly #reader: Reader<Source>;
  readonly #stats = new Stats();

  constructor(options: CacheOptions<Source>) {
    const { store, changeLog, source, partitions, random = Math.random, leads = async () => true } = options;
    const clock = options.clock ?? systemClock;
    const { events } = this;
    this.#options = options;
    this.#clock = clock;
    this.#views = new Map(options.views.map((view) => [view.name, view]));
    this.#trust = new Trust({ store, changeLog, partitions, clock, events });
    const overrides = options.overrides ?? new Map();
    this.#refill = new Refill({ store, trust: this.#trust, source, partitions, overrides, clock, random, events });
    this.#reader = new Reader({ store, trust: this.#trust, refill: this.#refill, partitions, clock, events });
    this.writer = new Writer({ store, trust: this.#trust, partitions, clock, events });
    this.#relay = new Relay({ store, trust: this.#trust, changeLog, partitions, clock, events, leads });
    events.on(this.#stats.record);
  }

  /**
   * Learns which partitions to trust and carries over what was committed while no gateway was at work. Resolves within
   * `withinMs` even if the store is out of reach: reads then come from SQL until it returns. Trust itself catches up with
   * the change log before it believes a partition.
   */
  async start(withinMs = 2_000): Promise<void> {
    await Promise.race([this.#trust.learn(), this.#clock.sleep(withinMs)]);
    this.#relay.start();
  }

  /** A view of the cache for one request. */
  request(): RequestCache<Source> {
    return new RequestCache(this.#reader, this.#clock);
  }

  /** @throws {UnknownView} when no view has this name. */
  view(name: string): AnyView<Source> {
    const view = this.#views.get(name);
    if (!view) throw new UnknownView(name, [...this.#views.keys()]);
    return view;
  }

  /** Whether this gateway caches a view of this name. */
  caches(name: string): boolean {
    return this.#views.has(name);
  }

  /** The form in which the write path stores what it read back. */
  storedForm(view: AnyView<Source>, loaded: Loaded): StoredValue {
    return this.#refill.storedForm(view, loaded);
  }

  /** The lives of the masters that are trusted now; none while the store is in doubt. */
  get incarnations(): readonly string[] {
    return this.#trust.incarnations;
  }

  status(): CacheStatus {
    return {
      store: this.#options.store.kind,
      trusted: this.#trust.trusted,
      relayLagMs: this.#relay.lagMs,
      views: [...this.#views.keys()].map((view) => ({ view, ...this.#stats.of(view) })),
    };
  }

  /**
   * What stands in one entry, without changing it; undefined while its partition is not trusted.
   * @throws {UnknownView} when no view has this name.
   */
  async inspect(name: string, key: string): Promise<EntryFacts | undefined> {
    const view = this.view(name);
    const partition = partitionOf(name, key, this.#options.partitions);
    const guard = this.#trust.guardOf(partition);
    return guard && this.#options.store.inspect({ partition, guard }, name, key, fieldOf(view));
  }

  /** The TTL of a view and where it comes from. */
  ttlOf(name: string) {
    return ttlPolicyOf(this.view(name), this.#options.overrides ?? new Map());
  }

  /** Stops the relay, then lets go of the store. */
  async close(): Promise<void> {
    this.#trust.close();
    await this.#relay.stop();
    await this.#options.store.close();
  }
}
