// The engine as a visitor beside the gateways uses it: it fills entries under the guards that Postgres records, begins
// no generation, and carries no change log. What changes after its reading is dropped by the gateways, or caught up
// with when the next one starts.
import { type Clock, systemClock } from './clock.js';
import { CacheUnavailable } from './errors.js';
import { Events } from './events.js';
import { Policies, type RuntimeTtls, type TtlOverrides } from './policy.js';
import type { ChangeLog } from './ports.js';
import { isStorable } from './raw-reading.js';
import { Refill } from './refill.js';
import type { Guard, Store } from './store.js';
import { agreedOn } from './succession.js';
import type { Trust } from './trust.js';
import { Upkeep } from './upkeep.js';
import type { AnyView } from './view.js';

export interface VisitOptions<Source> {
  readonly store: Store;
  readonly changeLog: Pick<ChangeLog, 'partitions'>;
  /** What views load from. */
  readonly source: Source;
  readonly partitions: number;
  readonly overrides: TtlOverrides;
  readonly runtimeTtls: RuntimeTtls;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Visit<Source> {
  /** Fills from SQL what does not stand under `keys`; resolves to how many of them stand then. */
  readonly warm: (view: AnyView<Source>, keys: readonly string[]) => Promise<number>;
}

/** @throws {CacheUnavailable} unless the store shows, for every partition, the guard that Postgres records. */
export async function visit<Source>(options: VisitOptions<Source>): Promise<Visit<Source>> {
  const { store, changeLog, source, partitions, clock = systemClock, random = Math.random } = options;
  const guards = await learnGuards(store, changeLog, partitions);
  const policies = new Policies(options.overrides);
  policies.adopt(options.runtimeTtls);
  const trust = {
    requireGuard: (partition: number) => guards.get(partition) ?? refuse(),
    believed,
  };
  const common = { store, trust, partitions, clock, events: new Events() };
  const upkeep = new Upkeep({ ...common, refill: new Refill({ ...common, source, policies, random }) });
  return { warm: (view, keys) => upkeep.warm(view, keys.filter(isStorable)) };
}

async function learnGuards(
  store: Store,
  changeLog: Pick<ChangeLog, 'partitions'>,
  partitions: number,
): Promise<ReadonlyMap<number, Guard>> {
  const rows = new Map((await changeLog.partitions()).map((row) => [row.partition, row]));
  const metas = await store.meta(Array.from({ length: partitions }, (_, partition) => partition));
  return new Map(
    metas.map((meta, partition) => [partition, agreedOn(meta, rows.get(partition))?.guard ?? refuse()] as const),
  );
}

/** A visitor holds no lease: what the store takes under these guards is as good as what their gateways vouch for. */
const believed: Trust['believed'] = (_, replies) =>
  replies.map((reply) => (reply.kind === 'done' ? reply.replies : undefined));

function refuse(): never {
  throw new CacheUnavailable(
    'This Redis does not hold what the gateways of this database trust: start a gateway first, on the same Redis.',
    'untrusted',
  );
}
