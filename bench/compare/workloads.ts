// The workloads: which requests, how many at a time, and against whom.
import { seeded, zipf } from '../support/random.js';
import { type Pool, type Pools, type Request, renameOf } from './requests.js';

/** What mutates comes last: who is not told of a mutation has wrong answers from then on. */
export const WORKLOADS = ['warm', 'single', 'batch', 'large', 'scopes', 'mixed'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];
/** Those of growth, which are no part of a comparison. */
export type GrowthName = 'thousand' | 'all';

export interface Workload {
  readonly title: string;
  readonly connections: number;
  /** What is asked for once by way of preparation, so that it is cached. */
  readonly prepared: (pools: Pools) => readonly Pool[];
  /** The next request of one contestant; the same sequence for each of them. */
  readonly sequence: (pools: Pools, contestant: Contestant) => () => Request;
}

/** What a sequence knows of whom it is asked of. */
export interface Contestant {
  /** Contestants that share a cache have different numbers, so that none of them finds what another asked for. */
  readonly lane: number;
  /** Menus that a write is under way for; they are not written again meanwhile, so that later writes count higher. */
  readonly writing: ReadonlySet<string>;
  /** Writes so far, by anybody. */
  readonly nextCount: () => number;
}

const hotPools = ({ menu, flags, statement, introspect }: Pools) => [menu, flags, statement, introspect];

export const workloads: Readonly<Record<WorkloadName | GrowthName, Workload>> = {
  warm: {
    title: 'warm: menus 40 %, statements 25 %, flags 20 %, introspection 15 %, keys by Zipf, 64 connections',
    connections: 64,
    prepared: hotPools,
    sequence: (pools) => hot(pools, seeded(1)),
  },
  mixed: {
    title: 'mixed: 94 % of that, 5 % that nobody has asked for yet, 1 % mutations, 64 connections',
    connections: 64,
    prepared: hotPools,
    sequence: mixed,
  },
  single: {
    title: 'single: the warm mix on one connection',
    connections: 1,
    prepared: hotPools,
    sequence: (pools) => hot(pools, seeded(2)),
  },
  batch: {
    title: 'batch: 20 menus in one request, 200 such sets by Zipf, 64 connections',
    connections: 64,
    prepared: ({ batch }) => [batch],
    sequence: ({ batch }) => byZipf(batch, seeded(3)),
  },
  large: {
    title: 'large: one menu of 10,595 items, 4 connections',
    connections: 4,
    prepared: ({ large }) => [large],
    sequence:
      ({ large }) =>
      () =>
        large.at(0),
  },
  scopes: {
    title: 'scopes: every caller reads a statement of his own, all callers alike, 64 connections',
    connections: 64,
    prepared: ({ scope }) => [scope],
    sequence: ({ scope }) => {
      const random = seeded(4);
      return () => scope.at(Math.floor(random() * scope.size));
    },
  },
  thousand: {
    title: 'thousand: the same thousand menus, 64 connections',
    connections: 64,
    prepared: ({ menu }) => [{ ...menu, size: Math.min(menu.size, 1_000) }],
    sequence: ({ menu }) => {
      const random = seeded(6);
      return () => menu.at(Math.floor(random() * 1_000));
    },
  },
  all: {
    title: 'all: any of all menus, 64 connections',
    connections: 64,
    prepared: () => [],
    sequence: ({ menu }) => {
      const random = seeded(7);
      return () => menu.at(Math.floor(random() * menu.size));
    },
  },
};

function hot({ menu, flags, statement, introspect }: Pools, random: () => number): () => Request {
  const menus = byZipf(menu, random);
  const environments = byZipf(flags, random);
  const statements = byZipf(statement, random);
  const tokens = byZipf(introspect, random);
  return () => {
    const kind = random();
    if (kind < 0.4) return menus();
    if (kind < 0.65) return statements();
    return kind < 0.85 ? environments() : tokens();
  };
}

function mixed(pools: Pools, { lane, writing, nextCount }: Contestant): () => Request {
  const random = seeded(5);
  const usual = hot(pools, random);
  const menus = zipf(random, pools.menu.size);
  let cold = Math.floor(pools.cold.size / 4) * lane;
  return () => {
    const kind = random();
    if (kind < 0.01) {
      const menu = pools.menu.at(menus()).menu ?? '';
      return writing.has(menu) ? usual() : { ...renameOf(menu, nextCount()), menu };
    }
    return kind < 0.06 ? pools.cold.at(cold++ % pools.cold.size) : usual();
  };
}

function byZipf(pool: Pool, random: () => number): () => Request {
  const draw = zipf(random, pool.size);
  return () => pool.at(draw());
}
