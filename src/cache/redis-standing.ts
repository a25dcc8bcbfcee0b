// Asks a master which values stand: one call for all partitions, unless that would name several of a cluster.
import { guardArgs } from './redis-arguments.js';
import type { Batch } from './redis-calls.js';
import type { Answer, Exchange, PartitionCall } from './redis-exchange.js';
import type { RedisKeys } from './redis-keys.js';
import { decoded, stampsOf } from './redis-replies.js';
import type { RedisServers } from './redis-servers.js';
import { scripts } from './scripts.js';
import type { Guarded, Store } from './store.js';
import type { EntryRef } from './view.js';

export interface RedisStandingOptions {
  readonly exchange: Exchange;
  readonly keys: RedisKeys;
  readonly servers: RedisServers;
}

export function redisStanding({ exchange, keys, servers }: RedisStandingOptions): Store['standing'] {
  const callOver = (batches: readonly Batch<EntryRef>[]): PartitionCall => {
    const names: string[] = [];
    const args: (string | number)[] = [];
    for (const { partition, guard, items } of batches) {
      const nameOf = keys.entryNames(partition);
      names.push(keys.meta(partition));
      for (const item of items) names.push(nameOf(item));
      args.push(...guardArgs(guard), items.length);
    }
    return { script: scripts.standing, partition: batches[0]?.partition ?? 0, keys: names, args };
  };
  return async (batches) => {
    const groups = servers.kind === 'cluster' ? batches.map((batch) => [batch]) : [batches];
    const answers = await exchange.send('reads', groups.map(callOver));
    return groups.flatMap((group, at) => repliesOf(group, answers[at]));
  };
}

function repliesOf(batches: readonly Batch<EntryRef>[], answer: Answer | undefined): Guarded<string | undefined>[] {
  const counts = batches.map(({ items }) => items.length);
  const stamps = answer && decoded(answer, (reply) => stampsOf(reply, counts));
  if (stamps?.kind === 'decoded') return stamps.value;
  return batches.map(() => stamps ?? { kind: 'mismatch' });
}
