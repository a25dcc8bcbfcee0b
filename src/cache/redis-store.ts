// Entries in Redis: every operation is one script per partition, all partitions of a call in one round-trip per master;
// a read, and a look at what stands, is one call for them all, unless the servers are a cluster.
import type { CacheUnavailable } from './errors.js';
import type { MemberChange } from './part.js';
import { dropArgs, guardArgs, partArgs, patchArgs, readArgs, valueArgs } from './redis-arguments.js';
import { type Arguments, type Batch, type Lane, redisCalls } from './redis-calls.js';
import { Exchange, type PartitionCall } from './redis-exchange.js';
import { redisKeys } from './redis-keys.js';
import {
  array,
  decoded,
  factsOf,
  fencesOf,
  given,
  guardedReplies,
  hitOf,
  metaOf,
  readReplyOf,
  token,
  word,
} from './redis-replies.js';
import type { RedisServers } from './redis-servers.js';
import { SCRIPT_WORDS, Staging } from './redis-staging.js';
import { redisStanding } from './redis-standing.js';
import { type Script, scripts } from './scripts.js';
import {
  type DropItem,
  FENCE_GRACE_MS,
  type Guarded,
  LEASE_MS,
  RENEW_AFTER,
  type Store,
  type StoredValue,
} from './store.js';

export interface RedisStoreOptions {
  readonly servers: RedisServers;
  /** Part of every key, so that databases may share a Redis. */
  readonly installation: string;
  readonly timeoutMs: number;
}

/** How long large values may be on their way: nobody waits for a refill, but an acknowledgement does for a publish. */
const FILL_STAGING_MS = 10_000;
const PUBLISH_STAGING_TIMEOUTS = 3;

/**
 * A store whose every operation ends within `timeoutMs`, by a reply or by saying that there is none; where values are
 * too large for one script, each of their chunks does.
 */
export function redisStore({ servers, installation, timeoutMs }: RedisStoreOptions): Store {
  const keys = redisKeys(installation);
  const exchange = new Exchange({ servers, tag: keys.tag, timeoutMs });
  const staging = new Staging(exchange, keys);

  const { callsOf, guarded, joined } = redisCalls({ exchange, keys, timeoutMs });

  /** A script that stores the values of each batch, once what is large is put aside. */
  const storing = async <Item extends StoredValue & { readonly token: string }>(
    script: Script,
    batches: readonly Batch<Item>[],
    stagingMs: number,
    tokensOf: (item: Item) => Arguments,
  ): Promise<PartitionCall[]> => {
    const deadlineMs = performance.now() + stagingMs;
    const calls: PartitionCall[] = [];
    for (const batch of batches) {
      const staged = await staging.stage(batch, batch.items, deadlineMs);
      const aside = staged.flatMap((key) => key ?? []);
      for (const call of callsOf(script, [batch], (items) => [
        items.length,
        ...items.flatMap((item, at) => {
          const place = staged[at] === undefined ? 0 : 3 + 2 * items.length + aside.indexOf(staged[at]);
          return [...tokensOf(item), ...valueArgs(item, place)];
        }),
      ]))
        calls.push({ ...call, keys: [...call.keys, ...aside] });
    }
    return calls;
  };

  const drop = (batches: readonly Batch<DropItem>[], withinMs = timeoutMs) =>
    guarded('writes', callsOf(scripts.drop, batches, dropArgs), word('dropped'), withinMs);

  /** Sends what stores committed values; where memory is short, drops what is older instead, which needs none. */
  const orDrop = async (
    batches: readonly Batch<DropItem>[],
    calls: readonly PartitionCall[],
  ): Promise<Guarded<'published' | 'dropped'>[]> => {
    const deadlineMs = performance.now() + timeoutMs;
    const replies = await guarded('writes', calls, word('published', 'dropped'));
    const refused = batches.filter((_, at) => isShortOfMemory(replies[at]));
    if (refused.length === 0) return replies;
    const dropped = await drop(refused, Math.max(1, deadlineMs - performance.now()));
    return batches.map((batch, at) => dropped[refused.indexOf(batch)] ?? replies[at] ?? { kind: 'mismatch' });
  };

  /** The one reply of the one call. @throws {CacheUnavailable} where there is none. */
  const one = async <Value>(lane: Lane, call: PartitionCall, decode: (reply: unknown) => Value): Promise<Value> => {
    const [answer] = (await exchange.send(lane, [call])).map((each) => decoded(each, decode));
    if (answer?.kind !== 'decoded') throw answer?.error satisfies CacheUnavailable | undefined;
    return answer.value;
  };

  /** Asks by one call of `many`, unless that would name several partitions of a cluster, where each goes by itself. */
  const together = <Reply>(many: Script, calls: readonly PartitionCall[], decode: (reply: unknown) => Reply) =>
    servers.kind === 'cluster' || calls.length < 2
      ? guarded('reads', calls, decode)
      : joined('reads', many, calls, decode);

  return {
    kind: 'redis',

    read: (batches) => together(scripts.reads, callsOf(scripts.read, batches, readArgs, false), readReplyOf),

    standing: redisStanding({ exchange, keys, servers, timeoutMs }),

    renew: (batches) => {
      const argsOf = (items: (typeof batches)[number]['items']) => [
        LEASE_MS,
        RENEW_AFTER,
        ...items.flatMap(({ field, secret }) => [field, secret]),
      ];
      return guarded('reads', callsOf(scripts.renew, batches, argsOf, false), given);
    },

    fill: async (batches) => {
      const calls = await storing(scripts.fill, batches, FILL_STAGING_MS, ({ token }) => [token]);
      return guarded('reads', calls, given);
    },

    fence: (batches, xid, secret) => {
      const calls = callsOf(scripts.fence, batches, () => [xid, secret, FENCE_GRACE_MS]);
      return guarded('writes', calls, token);
    },

    publish: async (batches) =>
      orDrop(
        batches,
        await storing(scripts.publish, batches, PUBLISH_STAGING_TIMEOUTS * timeoutMs, ({ token, xid }) => [token, xid]),
      ),

    patch: (batches) =>
      orDrop(
        batches,
        batches.flatMap((batch) =>
          wordsOf(batch.items) <= SCRIPT_WORDS
            ? callsOf(scripts.patch, [batch], (items) => items.flatMap(patchArgs))
            : callsOf(scripts.drop, [batch], dropArgs),
        ),
      ),

    drop: (batches) => drop(batches),

    meta: async (partitions) => {
      const script = scripts.meta;
      const calls = partitions.map((partition) => ({ script, partition, keys: [keys.meta(partition)], args: [] }));
      const metas = (await exchange.send('writes', calls)).map((answer) => {
        const meta = decoded(answer, metaOf);
        return meta.kind === 'decoded' ? meta.value : undefined;
      });
      if (metas.some((meta) => meta && meta.incarnation === undefined)) servers.demoted();
      return metas;
    },

    begin: async (partition, guard, cursor) => {
      const args = [...guardArgs(guard), cursor];
      const call = { script: scripts.begin, partition, keys: [keys.meta(partition)], args };
      return (await one('writes', call, word('begun', 'mismatch'))) === 'begun';
    },

    advance: async (batches) => {
      const calls = batches.map(({ partition, guard, from, to }) => ({
        script: scripts.advance,
        partition,
        keys: [keys.meta(partition)],
        args: [...guardArgs(guard), from, to],
      }));
      return (await exchange.send('writes', calls)).map((answer) => {
        const moved = decoded(answer, word('advanced', 'mismatch'));
        return moved.kind === 'decoded' && moved.value === 'advanced';
      });
    },

    standingFences: async ({ partition, guard }, olderThanMs) => {
      const call = {
        script: scripts.fences,
        partition,
        keys: [keys.meta(partition), keys.fences(partition)],
        args: [...guardArgs(guard), olderThanMs],
      };
      const fences = await one('writes', call, (reply) =>
        guardedReplies(reply, (fence) => fencesOf(fence, keys.parse)),
      );
      return fences.kind === 'done' ? fences.replies : [];
    },

    peek: async (partition, { view, key, field, part }) => {
      const args = [field, ...partArgs(part)];
      const call = { script: scripts.peek, partition, keys: keys.entries(partition, [{ view, key }]), args };
      return one('reads', call, (reply) => array(reply).map(hitOf)[0]);
    },

    inspect: async (where, view, key, field) => {
      const [call] = callsOf(scripts.inspect, [{ ...where, items: [{ view, key }] }], () => [field], false);
      if (!call) throw new Error('There is one call for each batch.');
      return one('reads', call, (reply) => factsOf(array(reply)));
    },

    close: async () => servers.close(),
  };
}

const isShortOfMemory = (reply: Guarded<unknown> | undefined): boolean =>
  reply?.kind === 'unavailable' && reply.error.kind === 'memory';

const wordsOf = (items: readonly MemberChange[]): number =>
  items.reduce((words, { set, remove }) => words + set.length + remove.length, 0);
