// What a run has for a cache, as gateways reach it: through links of their own, one to each node.
import type { Link } from './link.js';
import type { RedisNode } from './redis-node.js';

export type Topology = 'standalone' | 'cluster' | 'sentinel';

export interface RedisSide {
  readonly topology: Topology;
  readonly nodes: readonly RedisNode[];
  /** The REDIS_URL of a gateway, by way of its links. */
  readonly url: (gateway: number) => string;
  /** All links of a gateway, one to each place that it may reach. */
  readonly links: (gateway: number) => readonly Link[];
  /** Those who answer as masters now. */
  readonly masters: () => Promise<readonly RedisNode[]>;
  /**
   * Puts a replica in a master's place after `lostMs` in which nothing was replicated. The gateways of `left` go on
   * talking to the old master, which knows of nothing, until `rejoin`. Undefined where no replica stands ready.
   */
  readonly failOver: (options: FailOver) => Promise<{ readonly rejoin: () => Promise<void> } | undefined>;
  readonly close: () => Promise<void>;
}

export interface FailOver {
  readonly lostMs: number;
  readonly left: readonly number[];
  readonly random: () => number;
}
