// Compares many entries of a view with SQL, content and all, beside whatever reads and writes them, and drops those that
// are wrong if asked to: the next reader finds them in SQL.
import type { Cause, Comparison } from './comparison.js';
import { CacheUnavailable } from './errors.js';
import { partitionOf } from './partition.js';
import type { DropItem, Guard, GuardedPartition, Store } from './store.js';
import { keysPerBatch } from './upkeep.js';
import { type AnyView, printedKey } from './view.js';

/** An entry that is not what SQL says, and why. */
export interface Difference {
  readonly view: string;
  /** As it may be shown. */
  readonly key: string;
  readonly cause: Cause;
  /** Null where nothing but a fence stands. */
  readonly storeVersion: string | null;
  readonly sqlVersion: string;
  /** It was dropped. */
  readonly repaired: boolean;
}

export interface Verified {
  readonly keys: number;
  readonly same: number;
  /** Not in the store, which is no difference. */
  readonly missing: number;
  readonly differences: readonly Difference[];
}

export interface VerifierOptions<Source> {
  readonly comparison: Comparison<Source>;
  readonly store: Pick<Store, 'drop'>;
  readonly guardOf: (partition: number) => Guard | undefined;
  readonly partitions: number;
}

/** Above every version: removes whatever stands. */
const ANY_VERSION = '9'.repeat(19);
/** No transaction has this id, so that a drop with it lifts nobody's fence. */
const NO_XID = '0';

export class Verifier<Source> {
  readonly #options: VerifierOptions<Source>;

  constructor(options: VerifierOptions<Source>) {
    this.#options = options;
  }

  /**
   * Compares what stands under `keys` with SQL; with `repair`, drops what is a mismatch.
   * @throws {CacheUnavailable} when the store does not answer or is in doubt; and what the database threw.
   */
  async verify(
    view: AnyView<Source>,
    keys: readonly string[],
    { repair }: { readonly repair: boolean },
  ): Promise<Verified> {
    const differences: Difference[] = [];
    let [same, missing] = [0, 0];
    for (let at = 0; at < keys.length; at += keysPerBatch(view)) {
      const batch = keys.slice(at, at + keysPerBatch(view));
      const verdicts = [...(await this.#options.comparison.compare(view, batch, 'content'))];
      const wrong = verdicts.filter(([, { kind }]) => kind === 'mismatch').map(([key]) => key);
      if (repair && wrong.length > 0) await this.#drop(view.name, wrong);
      for (const [key, verdict] of verdicts) {
        if (verdict.kind === 'same') same++;
        else if (verdict.kind === 'missing') missing++;
        else {
          differences.push({
            view: view.name,
            key: printedKey(view, key),
            cause: verdict.kind,
            storeVersion: verdict.storeVersion ?? null,
            sqlVersion: verdict.sqlVersion,
            repaired: repair && verdict.kind === 'mismatch',
          });
        }
      }
    }
    return { keys: keys.length, same, missing, differences };
  }

  async #drop(view: string, keys: readonly string[]): Promise<void> {
    const { store, guardOf, partitions } = this.#options;
    const batches = new Map<number, GuardedPartition & { items: DropItem[] }>();
    for (const key of keys) {
      const partition = partitionOf(view, key, partitions);
      const batch = batches.get(partition) ?? { partition, guard: guardOf(partition) ?? refuse(), items: [] };
      batches.set(partition, batch);
      batch.items.push({ view, key, version: ANY_VERSION, xid: NO_XID });
    }
    const replies = await store.drop([...batches.values()]);
    if (replies.some(({ kind }) => kind !== 'done')) refuse();
  }
}

function refuse(): never {
  throw new CacheUnavailable('The cache did not confirm that the wrong entries are gone: run this again.', 'untrusted');
}
