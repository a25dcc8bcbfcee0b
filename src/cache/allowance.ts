// Allowances that all gateways on a Redis draw on: token buckets by the clock of Redis, beside the entries and apart from
// them. They vouch for nothing, so they carry no guard: a lost one is a whole one.
import { CacheUnavailable } from './errors.js';
import { partitionOf } from './partition.js';
import { Exchange } from './redis-exchange.js';
import { redisKeys } from './redis-keys.js';
import type { RedisServers } from './redis-servers.js';
import { scripts } from './scripts.js';

export interface AllowanceDraw {
  /** Says whose; part of the key's name, so never a secret. */
  readonly key: string;
  readonly cost: number;
  /** So many more each second, up to `burst`. */
  readonly perSecond: number;
  /** So many at once. */
  readonly burst: number;
  /** Whether it counts even where too little is left; the debt is never more than `burst`. */
  readonly granted: boolean;
}

export interface AllowanceLeft {
  readonly taken: boolean;
  /** Below zero: debt. */
  readonly left: number;
}

/** Draws on allowances; all draws of a call in one round-trip per master, each all or nothing. */
export type Allowances = (draws: readonly AllowanceDraw[]) => Promise<readonly AllowanceLeft[]>;

export interface RedisAllowanceOptions {
  readonly servers: RedisServers;
  /** Part of every key, so that databases may share a Redis. */
  readonly installation: string;
  readonly partitions: number;
  readonly timeoutMs: number;
}

/** Allowances in Redis. They reject with {@link CacheUnavailable} when one of their masters does not answer. */
export function redisAllowances({ servers, installation, partitions, timeoutMs }: RedisAllowanceOptions): Allowances {
  const keys = redisKeys(installation);
  const exchange = new Exchange({ servers, tag: keys.tag, timeoutMs });
  return async (draws) => {
    const calls = draws.map(({ key, cost, perSecond, burst, granted }) => {
      const partition = partitionOf('allowance', key, partitions);
      const args = [1_000 / perSecond, (burst / perSecond) * 1_000, cost, granted ? 1 : 0];
      return { script: scripts.allowance, partition, keys: [keys.allowance(partition, key)], args };
    });
    return (await exchange.send('reads', calls)).map((answer) => {
      if (answer.kind === 'unavailable') throw answer.error;
      if (!Array.isArray(answer.reply))
        throw new CacheUnavailable('Redis answered with what is no allowance.', 'reply');
      const [word, left] = answer.reply;
      return { taken: word === 'taken', left: Number(left) / 1_000 };
    });
  };
}
