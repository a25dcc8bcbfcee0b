// The engine, put together: readers, the write path's half, trust and relay over one store.
import { type Clock, systemClock } from './clock.js';
import { Comparison } from './comparison.js';
import type { ConcurrencyLimits } from './concurrency.js';
import { UnknownView } from './errors.js';
import { Events } from './events.js';
import { ChangeFeed } from './feed.js';
import { Floors } from './floors.js';
import { partitionOf } from './partition.js';
import { JITTER, Policies, type RuntimeTtls, type TtlOverrides, type TtlPolicy, type ViewPolicy } from './policy.js';
import type { ChangeLog } from './ports.js';
import { isStorable } from './raw-reading.js';
import { Reader } from './reader.js';
import { Refill } from './refill.js';
import { Refresher } from './refresher.js';
import { Relay } from './relay.js';
import { RequestCache } from './request.js';
import { SpotChecks } from './spot-check.js';
import { type Ground, Standing, type TellStanding } from './standing.js';
import { type CacheStatus, Stats } from './stats.js';
import type { EntryFacts, Store, StoredValue } from './store.js';
import { Trust } from './trust.js';
import { Upkeep } from './upkeep.js';
import { type Verified, Verifier } from './verify.js';
import { type AnyView, fieldOf, type Loaded, requireAvailable } from './view.js';
import { type Committed, type Delta, Writer } from './writer.js';

export interface CacheOptions<Source> {
  readonly store: Store;
  readonly changeLog: ChangeLog;
  /** What views load from. */
  readonly source: Source;
  readonly views: readonly AnyView<Source>[];
  readonly partitions: number;
  /** TTLs that the environment sets. */
  readonly overrides?: TtlOverrides;
  /** Reads the TTLs that were set at run time. */
  readonly runtimeTtls?: () => Promise<RuntimeTtls>;
  readonly leads?: () => Promise<boolean>;
  /** How much is asked of `source` at once; what is left out has its default. */
  readonly limits?: Partial<ConcurrencyLimits>;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Of live hits, how many are compared with SQL, 0 to 1; none unless given. */
  readonly comparedShare?: number;
}

/** A change of single members leads from one version to another. */
export interface PatchVersions {
  readonly from: string;
  readonly version: string;
  readonly changedAtMs: number;
}

export class Cache<Source> {
  readonly events = new Events();
  readonly writer: Writer;
  readonly feed: ChangeFeed;
  readonly #options: CacheOptions<Source>;
  readonly #clock: Clock;
  readonly #views: ReadonlyMap<string, AnyView<Source>>;
  readonly #trust: Trust;
  readonly #relay: Relay;
  readonly #refill: Refill<Source>;
  readonly #reader: Reader<Source>;
  readonly #floors: Floors;
  readonly #standing: Standing;
  readonly #upkeep: Upkeep<Source>;
  readonly #refresher: Refresher<Source>;
  readonly #policies: Policies;
  readonly #verifier: Verifier<Source>;
  readonly #spotChecks: SpotChecks<Source>;
  #looking: Promise<void> = Promise.resolve();
  readonly #stats = new Stats();

  constructor(options: CacheOptions<Source>) {
    const { store, changeLog, source, partitions, random = Math.random, leads = async () => true } = options;
    const clock = options.clock ?? systemClock;
    const { events } = this;
    this.#options = options;
    this.#clock = clock;
    this.#views = new Map(options.views.map((view) => [view.name, view]));
    requireAvailable(options.views);
    this.#trust = new Trust({ store, changeLog, partitions, clock, events });
    this.#policies = new Policies(options.overrides);
    const common = { store, trust: this.#trust, partitions, clock, events };
    this.#refill = new Refill({ ...common, source, policies: this.#policies, random, limits: options.limits });
    this.#upkeep = new Upkeep({ ...common, refill: this.#refill });
    this.#refresher = new Refresher({ upkeep: this.#upkeep, clock, events });
    this.#reader = new Reader({ ...common, refill: this.#refill, refresher: this.#refresher });
    this.writer = new Writer(common);
    const guardOf = (partition: number) => this.#trust.guardOf(partition);
    const comparison = new Comparison({ ...common, changeLog, source, guardOf });
    this.#verifier = new Verifier({ comparison, store, guardOf, partitions });
    const drop = (view: AnyView<Source>, keys: readonly string[]) => this.#upkeep.purge(view, keys);
    const { comparedShare: share = 0 } = options;
    this.#spotChecks = new SpotChecks({ ...common, comparison, drop, views: this.#views, share, random });
    this.#relay = new Relay({ ...common, changeLog, leads });
    this.#floors = new Floors(clock);
    this.#standing = new Standing({ ...common, floors: this.#floors });
    this.feed = new ChangeFeed({ changeLog, partitions, clock, events, floors: this.#floors });
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
    return new RequestCache(this.#reader, this.#clock, this.#floors);
  }

  /**
   * Whether everything that a request has read stands at a moment after this call, so that what was made of it may be
   * answered again. Never rejects: in doubt it is false, and the caller reads anew.
   */
  stand(grounds: readonly Ground[]): Promise<boolean> {
    return this.#standing.stand(grounds);
  }

  /** The same, told without a promise: for whoever asks with every request. */
  askStanding(grounds: readonly Ground[], tell: TellStanding): void {
    this.#standing.ask(grounds, tell);
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

  /** The form in which the write path changes single members of an entry that stood at version `from`. */
  patchForm({ key, set, remove, count }: Delta, view: AnyView<Source>, versions: PatchVersions): Committed {
    const { from, version } = versions;
    const ttlMs = this.#refill.ttlMsOf(view);
    const delta = { view: view.name, key, field: fieldOf(view), set, remove, count, from, version, ttlMs };
    return { view: view.name, key, version, delta: { ...delta, changedAtMs: versions.changedAtMs } };
  }

  status(): CacheStatus {
    return {
      store: this.#options.store.kind,
      trusted: this.#trust.trusted,
      trustedPartitions: Array.from(
        { length: this.#options.partitions },
        (_, partition) => this.#trust.guardOf(partition) !== undefined,
      ),
      relayLagMs: this.#relay.lagMs,
      answers: this.#standing.stats,
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
  ttlOf(name: string): TtlPolicy {
    return this.#policies.of(this.view(name));
  }

  /** The policy of every view, as this process has learned it. */
  policies(): readonly ViewPolicy[] {
    return [...this.#views.values()].map((view) => {
      const { name, shape, mode } = view;
      return { view: name, shape, mode, jitter: JITTER, ...this.#policies.of(view) };
    });
  }

  /**
   * Puts in force what is set at run time now, for whatever is stored from then on. Looks follow each other, so that an
   * earlier one cannot undo what a later one saw.
   */
  learnPolicies(): Promise<void> {
    const { runtimeTtls = async () => new Map() } = this.#options;
    const look = this.#looking.then(async () => this.#policies.adopt(await runtimeTtls()));
    this.#looking = look.catch(() => {});
    return look;
  }

  /**
   * Drops what stands under `keys`, whatever it is; the next readers find it in SQL.
   * @throws {UnknownView} when no view has this name; `CacheUnavailable` when the store did not confirm.
   */
  async purge(name: string, keys: readonly string[]): Promise<void> {
    await this.#upkeep.purge(this.view(name), keys.filter(isStorable));
  }

  /**
   * Fills from SQL what does not stand under `keys`; resolves to how many of them stand then.
   * @throws {UnknownView} when no view has this name; `CacheUnavailable` when the store did not confirm.
   */
  async warm(name: string, keys: readonly string[]): Promise<number> {
    return this.#upkeep.warm(this.view(name), keys.filter(isStorable));
  }

  /**
   * Loads `keys` from SQL whatever stands under them; resolves to how many of them stand then.
   * @throws {UnknownView} when no view has this name; `CacheUnavailable` when the store did not confirm.
   */
  async reload(name: string, keys: readonly string[]): Promise<number> {
    return this.#upkeep.reload(this.view(name), keys.filter(isStorable));
  }

  /**
   * Compares what stands under `keys` with SQL while both are at work; with `repair`, drops what is a mismatch.
   * @throws {UnknownView} when no view has this name; `CacheUnavailable` when the store does not answer or is in doubt.
   */
  verify(name: string, keys: readonly string[], options: { readonly repair: boolean }): Promise<Verified> {
    return this.#verifier.verify(this.view(name), keys.filter(isStorable), options);
  }

  /** Stops what works in the background, then lets go of the store. */
  async close(): Promise<void> {
    await this.feed.close();
    this.#spotChecks.stop();
    await this.#trust.close();
    await this.#refresher.stop();
    await this.#relay.stop();
    await this.#options.store.close();
  }
}
