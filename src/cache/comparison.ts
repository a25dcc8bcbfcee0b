// Holds entries as they stand in the store against what SQL says, while both are written to, and tells an error from what
// is only on its way.
//
// Why a mismatch is no race: 1. SQL says version n. 2. The store's cursor is read, and then what the change log has
// pending since it. 3. The store is looked at. The relay moves the cursor only after it has dropped what is older: what
// is older than n in 3 and was not pending in 2 stays so. What stood newer than n before 1 was never committed. And one
// version has one content, since both are written together. Each takes a second look, so the first one proves nothing.
import type { Clock } from './clock.js';
import { compareContent } from './content.js';
import { CacheUnavailable } from './errors.js';
import { partitionOf } from './partition.js';
import type { ChangeLog } from './ports.js';
import type { Guard, Store } from './store.js';
import { type AnyView, fieldOf, type Loaded } from './view.js';

/** Fenced: a transaction is about to commit. Pending: its change has not been carried over yet. Mismatch: nothing explains it. */
export type Cause = 'fenced' | 'pending' | 'mismatch';

export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'missing' }
  | { readonly kind: Cause; readonly storeVersion: string | undefined; readonly sqlVersion: string };

export interface ComparisonOptions<Source> {
  readonly store: Pick<Store, 'inspect' | 'peek' | 'meta'>;
  readonly changeLog: Pick<ChangeLog, 'changesSince'>;
  /** The guard that vouches for a partition now. */
  readonly guardOf: (partition: number) => Guard | undefined;
  readonly source: Source;
  readonly partitions: number;
  readonly clock: Clock;
}

/** Before each look; a change is carried over within 100 ms as a rule. */
const WAITS_MS = [0, 100, 400];
/** Readers queue behind what is asked at once. */
const LOOKS_AT_ONCE = 50;

/** What one look at the store found. */
type Sight =
  | { readonly kind: 'missing' }
  | { readonly kind: 'fenced'; readonly version: string | undefined }
  | { readonly kind: 'standing'; readonly version: string; readonly otherContent: boolean; readonly moved: boolean };

export class Comparison<Source> {
  readonly #options: ComparisonOptions<Source>;

  constructor(options: ComparisonOptions<Source>) {
    this.#options = options;
  }

  /**
   * A verdict on each of `keys`, one statement at most; by version alone, or by content too. What looks wrong is looked at
   * again, for half a second at most.
   * @throws {CacheUnavailable} when the store does not answer, or is not vouched for throughout.
   */
  async compare(
    view: AnyView<Source>,
    keys: readonly string[],
    by: 'version' | 'content',
  ): Promise<ReadonlyMap<string, Verdict>> {
    const { clock, source } = this.#options;
    const verdicts = new Map<string, Verdict>();
    let before: ReadonlyMap<string, Sight> = new Map();
    for (const waitMs of WAITS_MS) {
      const left = keys.filter((key) => !isFinal(verdicts.get(key)));
      if (left.length === 0) break;
      if (waitMs > 0) await clock.sleep(waitMs);
      const guards = this.#guardsOf(view, left);
      const loaded = await view.load(source, left);
      const isPending = before.size > 0 ? await this.#pendingOf(view, guards) : () => true;
      const sights = await this.#look(view, loaded, guards, by);
      await this.#requireStanding(guards);
      for (const { key, version } of loaded) {
        verdicts.set(key, verdictOf(sights.get(key) ?? { kind: 'missing' }, version, isPending(key), before.get(key)));
      }
      before = sights;
    }
    return verdicts;
  }

  #guardsOf({ name }: AnyView<Source>, keys: readonly string[]): ReadonlyMap<number, Guard> {
    const { guardOf, partitions } = this.#options;
    const wanted = new Set(keys.map((key) => partitionOf(name, key, partitions)));
    return new Map([...wanted].map((partition) => [partition, guardOf(partition) ?? refuse()] as const));
  }

  /** Which entries have changes that the store's own cursor does not cover; all of them where that cannot be told. */
  async #pendingOf(view: AnyView<Source>, guards: ReadonlyMap<number, Guard>): Promise<(key: string) => boolean> {
    const { changeLog, partitions } = this.#options;
    const cursors = await this.#requireStanding(guards);
    const pending = new Set<string>();
    const untold = new Set<number>();
    for (const cursor of new Set(cursors.values())) {
      const group = [...guards.keys()].filter((partition) => cursors.get(partition) === cursor);
      const { entries } = await changeLog.changesSince(cursor, group);
      if (!entries) for (const partition of group) untold.add(partition);
      for (const entry of entries ?? []) if (entry.view === view.name) pending.add(entry.key);
    }
    return (key) => pending.has(key) || untold.has(partitionOf(view.name, key, partitions));
  }

  async #look(
    view: AnyView<Source>,
    loaded: readonly Loaded[],
    guards: ReadonlyMap<number, Guard>,
    by: 'version' | 'content',
  ): Promise<ReadonlyMap<string, Sight>> {
    const sights = new Map<string, Sight>();
    for (let at = 0; at < loaded.length; at += LOOKS_AT_ONCE) {
      const some = loaded.slice(at, at + LOOKS_AT_ONCE);
      const seen = await Promise.all(some.map((row) => this.#sightOf(view, row, guards, by)));
      for (const [index, { key }] of some.entries()) sights.set(key, seen[index] ?? { kind: 'missing' });
    }
    return sights;
  }

  async #sightOf(
    view: AnyView<Source>,
    loaded: Loaded,
    guards: ReadonlyMap<number, Guard>,
    by: 'version' | 'content',
  ): Promise<Sight> {
    const { store, partitions } = this.#options;
    const entry = { view: view.name, key: loaded.key, field: fieldOf(view) };
    const partition = partitionOf(entry.view, entry.key, partitions);
    const guard = guards.get(partition) ?? refuse();
    const { state, version } = await store.inspect({ partition, guard }, entry.view, entry.key, entry.field);
    if (state === 'fenced') return { kind: 'fenced', version };
    if (state !== 'fresh' || version === undefined) return { kind: 'missing' };
    const content =
      by === 'content' && version === loaded.version
        ? await compareContent((part) => store.peek(partition, { ...entry, part }), view.shape, loaded)
        : 'same';
    if (content === 'gone') return { kind: 'missing' };
    return { kind: 'standing', version, otherContent: content === 'other', moved: content === 'moved' };
  }

  /** The cursors of partitions that are in force, here and in the store. Under another guard every entry would look absent. */
  async #requireStanding(guards: ReadonlyMap<number, Guard>): Promise<ReadonlyMap<number, string>> {
    const { store, guardOf } = this.#options;
    const metas = await store.meta([...guards.keys()]);
    return new Map(
      [...guards].map(([partition, guard], at) => {
        const meta = metas[at];
        const { incarnation, epoch, generation, cursor } = meta?.stored ?? refuse();
        const stands =
          meta?.incarnation === guard.incarnation &&
          incarnation === guard.incarnation &&
          epoch === guard.epoch &&
          generation === guard.generation &&
          guardOf(partition) === guard;
        return [partition, stands ? cursor : refuse()] as const;
      }),
    );
  }
}

const isFinal = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && verdict.kind !== 'fenced' && verdict.kind !== 'pending';

/** `before` is what the look before saw; nothing is certain without one. */
function verdictOf(sight: Sight, sqlVersion: string, pending: boolean, before: Sight | undefined): Verdict {
  if (sight.kind === 'missing') return { kind: 'missing' };
  const versions = { storeVersion: sight.version, sqlVersion };
  if (sight.kind === 'fenced') return { kind: 'fenced', ...versions };
  const ahead = BigInt(sight.version) - BigInt(sqlVersion);
  if (ahead === 0n && !sight.otherContent && !sight.moved) return { kind: 'same' };
  const stoodBefore = before?.kind === 'standing' && before.version === sight.version;
  const explained = before === undefined || sight.moved || (ahead < 0n && pending) || (ahead > 0n && !stoodBefore);
  return { kind: explained ? 'pending' : 'mismatch', ...versions };
}

function refuse(): never {
  throw new CacheUnavailable(
    'The cache is in doubt, or was a moment ago: run this again once it is trusted.',
    'untrusted',
  );
}
