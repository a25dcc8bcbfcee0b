// Calls of scripts over the entries of partitions, and their replies as far as the guard held.

import { guardArgs } from './redis-arguments.js';
import type { Exchange, PartitionCall } from './redis-exchange.js';
import type { redisKeys } from './redis-keys.js';
import { array, decoded, guardedReplies } from './redis-replies.js';
import type { Script } from './scripts.js';
import type { Guarded, GuardedPartition } from './store.js';
import type { EntryRef } from './view.js';

export type Batch<Item> = GuardedPartition & { readonly items: readonly Item[] };
export type Arguments = readonly (string | number)[];
export type Lane = 'reads' | 'writes';

export interface RedisCallsOptions {
  readonly exchange: Exchange;
  readonly keys: ReturnType<typeof redisKeys>;
  readonly timeoutMs: number;
}

export function redisCalls({ exchange, keys, timeoutMs }: RedisCallsOptions) {
  /** A script over the entries of each batch. */
  const callsOf = <Item extends EntryRef>(
    script: Script,
    batches: readonly Batch<Item>[],
    argsOf: (items: readonly Item[]) => Arguments,
    withFences = true,
  ): PartitionCall[] =>
    batches.map(({ partition, guard, items }) => ({
      script,
      partition,
      keys: [keys.meta(partition), ...(withFences ? [keys.fences(partition)] : []), ...keys.entries(partition, items)],
      args: [...guardArgs(guard), ...argsOf(items)],
    }));

  const guarded = async <Reply>(
    lane: Lane,
    calls: readonly PartitionCall[],
    decode: (reply: unknown) => Reply,
    withinMs = timeoutMs,
  ): Promise<Guarded<Reply>[]> =>
    (await exchange.send(lane, calls, withinMs)).map((answer) => {
      const answered = decoded(answer, (reply) => guardedReplies(reply, decode));
      return answered.kind === 'decoded' ? answered.value : answered;
    });

  /** All calls as one, of `script`, which does for many partitions what theirs does for one. */
  const joined = async <Reply>(
    lane: Lane,
    script: Script,
    calls: readonly PartitionCall[],
    decode: (reply: unknown) => Reply,
  ): Promise<Guarded<Reply>[]> => {
    const keys: string[] = [];
    const args: (string | number)[] = [calls.length];
    for (const call of calls) {
      for (const key of call.keys) keys.push(key);
      args.push(call.keys.length, call.args.length);
      for (const arg of call.args) args.push(arg);
    }
    const call = { script, partition: calls[0]?.partition ?? 0, keys, args };
    const [answer] = (await exchange.send(lane, [call])).map((each) => decoded(each, array));
    return calls.map((_, at) => {
      if (answer?.kind !== 'decoded') return answer ?? { kind: 'mismatch' };
      const one = decoded({ kind: 'answered', reply: answer.value[at] }, (reply) => guardedReplies(reply, decode));
      return one.kind === 'decoded' ? one.value : one;
    });
  };

  return { callsOf, guarded, joined };
}
