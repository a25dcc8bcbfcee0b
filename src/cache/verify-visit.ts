// The same comparison beside the gateways, for a visitor who has nothing but the store and the database: it believes
// what Postgres has on record and the store shows, learned anew for each call.
import { type Clock, systemClock } from './clock.js';
import { Comparison } from './comparison.js';
import { CacheUnavailable } from './errors.js';
import type { ChangeLog } from './ports.js';
import { isStorable } from './raw-reading.js';
import type { Guard, Store } from './store.js';
import { agreedOn } from './succession.js';
import { type Verified, Verifier } from './verify.js';
import type { AnyView } from './view.js';

export interface VerifyVisitOptions<Source> {
  readonly store: Store;
  readonly changeLog: Pick<ChangeLog, 'partitions' | 'changesSince'>;
  /** What views load from. */
  readonly source: Source;
  readonly partitions: number;
  readonly clock?: Clock;
}

/**
 * Compares what stands under `keys` with SQL; with `repair`, drops what is a mismatch.
 * @throws {CacheUnavailable} unless the store shows, for every partition, the guard that Postgres records.
 */
export async function verifyBeside<Source>(
  { store, changeLog, source, partitions, clock = systemClock }: VerifyVisitOptions<Source>,
  view: AnyView<Source>,
  keys: readonly string[],
  options: { readonly repair: boolean },
): Promise<Verified> {
  const guards = await learnGuards(store, changeLog, partitions);
  const guardOf = (partition: number) => guards.get(partition);
  const comparison = new Comparison({ store, changeLog, guardOf, source, partitions, clock });
  return new Verifier({ comparison, store, guardOf, partitions }).verify(view, keys.filter(isStorable), options);
}

async function learnGuards(
  store: Store,
  changeLog: Pick<ChangeLog, 'partitions'>,
  partitions: number,
): Promise<ReadonlyMap<number, Guard>> {
  const rows = new Map((await changeLog.partitions()).map((row) => [row.partition, row]));
  const metas = await store.meta(Array.from({ length: partitions }, (_, partition) => partition));
  return new Map(
    metas.map((meta, partition) => {
      const agreed = agreedOn(meta, rows.get(partition));
      if (agreed) return [partition, agreed.guard] as const;
      throw new CacheUnavailable(
        'This Redis does not hold what the gateways of this database trust: start a gateway first, on the same Redis.',
        'untrusted',
      );
    }),
  );
}
