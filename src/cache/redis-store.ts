// Entries in Redis: every operation is one script per partition, all partitions of a call in one round-trip.
import type { Redis } from 'ioredis';
import { CacheUnavailable } from './errors.js';
import type { Part } from './part.js';
import {
  array,
  factsOf,
  fencesOf,
  guardedReplies,
  hitOf,
  metaOf,
  readReplyOf,
  UnexpectedReply,
  word,
} from './redis-replies.js';
import { type Call, run, scripts } from './scripts.js';
import {
  FENCE_GRACE_MS,
  type Guard,
  LEASE_MS,
  type PatchItem,
  type PublishItem,
  RENEW_AFTER,
  type Store,
  type StoredValue,
} from './store.js';

export interface RedisStoreOptions {
  /** For reads and refills. */
  readonly reads: Redis;
  /** For fences and publishes, so that they never queue behind reads. */
  readonly writes: Redis;
  /** Part of every key, so that databases may share a Redis. */
  readonly installation: string;
  readonly timeoutMs: number;
}

/** A store whose every operation ends within `timeoutMs`, by a reply or by `CacheUnavailable`. */
export function redisStore(options: RedisStoreOptions): Store {
  const { reads, writes, installation, timeoutMs } = options;
  const keys = keysOf(installation);
  const send = (redis: Redis, calls: readonly Call[]) => withDeadline(run(redis, calls), timeoutMs);
  const entryKeys = (partition: number, items: readonly { view: string; key: string }[]) =>
    items.flatMap(({ view, key }) => [keys.entry(partition, view, key), keys.members(partition, view, key)]);
  const stored = (partition: number, items: readonly { view: string; key: string }[]) => [
    keys.meta(partition),
    keys.fences(partition),
    ...entryKeys(partition, items),
  ];

  return {
    kind: 'redis',

    read: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.read,
        keys: [keys.meta(partition), ...entryKeys(partition, items)],
        args: [
          ...guardArgs(guard),
          LEASE_MS,
          FENCE_GRACE_MS,
          ...items.flatMap(({ field, token, part }) => [field, token, ...partArgs(part)]),
        ],
      }));
      return (await send(reads, calls)).map((reply) => guardedReplies(reply, readReplyOf));
    },

    renew: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.renew,
        keys: [keys.meta(partition), ...entryKeys(partition, items)],
        args: [...guardArgs(guard), LEASE_MS, RENEW_AFTER, ...items.flatMap(({ field, token }) => [field, token])],
      }));
      return (await send(reads, calls)).map((reply) => guardedReplies(reply, word('granted', 'refused')));
    },

    fill: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.fill,
        keys: stored(partition, items),
        args: [...guardArgs(guard), ...items.flatMap((item) => [item.token, ...valueArgs(item)])],
      }));
      return (await send(reads, calls)).map((reply) => guardedReplies(reply, word('filled', 'refused')));
    },

    fence: async (batches, xid, token) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.fence,
        keys: stored(partition, items),
        args: [...guardArgs(guard), xid, token, FENCE_GRACE_MS],
      }));
      return (await send(writes, calls)).map((reply) => guardedReplies(reply, word('fenced')));
    },

    publish: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.publish,
        keys: stored(partition, items),
        args: [...guardArgs(guard), ...items.flatMap(publishArgs)],
      }));
      return (await send(writes, calls)).map((reply) => guardedReplies(reply, word('published', 'dropped')));
    },

    patch: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.patch,
        keys: stored(partition, items),
        args: [...guardArgs(guard), ...items.flatMap(patchArgs)],
      }));
      return (await send(writes, calls)).map((reply) => guardedReplies(reply, word('published', 'dropped')));
    },

    drop: async (batches) => {
      const calls = batches.map(({ partition, guard, items }) => ({
        script: scripts.drop,
        keys: stored(partition, items),
        args: [...guardArgs(guard), ...items.flatMap(({ version, xid }) => [padded(version), xid])],
      }));
      return (await send(writes, calls)).map((reply) => guardedReplies(reply, word('dropped')));
    },

    meta: async (partitions) => {
      const calls = partitions.map((partition) => ({ script: scripts.meta, keys: [keys.meta(partition)], args: [] }));
      return (await send(writes, calls)).map(metaOf);
    },

    begin: async (partition, guard, cursor) => {
      const call = { script: scripts.begin, keys: [keys.meta(partition)], args: [...guardArgs(guard), cursor] };
      return (await send(writes, [call])).map(word('begun', 'mismatch'))[0] === 'begun';
    },

    advance: async (batches) => {
      const calls = batches.map(({ partition, guard, from, to }) => ({
        script: scripts.advance,
        keys: [keys.meta(partition)],
        args: [...guardArgs(guard), from, to],
      }));
      return (await send(writes, calls)).map((reply) => word('advanced', 'mismatch')(reply) === 'advanced');
    },

    standingFences: async ({ partition, guard }, olderThanMs) => {
      const call = {
        script: scripts.fences,
        keys: [keys.meta(partition), keys.fences(partition)],
        args: [...guardArgs(guard), olderThanMs],
      };
      const reply = guardedReplies((await send(writes, [call]))[0], (fence) => fencesOf(fence, keys.parse));
      return reply.kind === 'done' ? reply.replies : [];
    },

    peek: async ({ partition, guard }, { view, key, field, part }) => {
      const call = {
        script: scripts.peek,
        keys: [keys.meta(partition), ...entryKeys(partition, [{ view, key }])],
        args: [...guardArgs(guard), field, ...partArgs(part)],
      };
      const reply = guardedReplies((await send(reads, [call]))[0], hitOf);
      return reply.kind === 'done' ? reply.replies[0] : undefined;
    },

    inspect: async ({ partition, guard }, view, key, field) => {
      const call = {
        script: scripts.inspect,
        keys: [keys.meta(partition), ...entryKeys(partition, [{ view, key }])],
        args: [...guardArgs(guard), field],
      };
      return factsOf(array((await send(reads, [call]))[0]));
    },

    close: async () => {
      reads.disconnect();
      writes.disconnect();
    },
  };
}

/** Versions and epochs in Redis have 19 digits, so that Lua compares them as strings: its numbers are doubles. */
const padded = (decimal: string) => decimal.padStart(19, '0');

const guardArgs = ({ incarnation, epoch, generation }: Guard) => [incarnation, padded(epoch), generation];

const publishArgs = (item: PublishItem) => [item.token, item.xid, ...valueArgs(item)];

const patchArgs = (item: PatchItem) => [
  item.token,
  item.xid,
  padded(item.version),
  item.changedAtMs,
  ttlArg(item.ttlMs),
  item.field,
  padded(item.from),
  item.count,
  item.set.length,
  ...item.set,
  item.remove.length,
  ...item.remove,
];

const ttlArg = (ttlMs: number) => Math.max(1, Math.round(ttlMs));

/** Kind, number of arguments, arguments. */
function partArgs(part: Part | undefined): (string | number)[] {
  if (part?.kind === 'rows') return [part.kind, 2, part.first, part.last];
  if (part?.kind === 'fields') return [part.kind, part.names.length, ...part.names];
  if (part?.kind === 'contains') return [part.kind, part.members.length, ...part.members];
  return [part?.kind ?? '', 0];
}

const valueArgs = (item: StoredValue) => [
  padded(item.version),
  item.changedAtMs,
  ttlArg(item.ttlMs),
  item.field,
  item.value === null ? 'absent' : 'value',
  item.value ?? '',
  item.shape,
  item.members?.length ?? -1,
  ...(item.members ?? []),
];

function keysOf(installation: string) {
  const tag = (partition: number) => `{${installation}.${partition}}`;
  return {
    meta: (partition: number) => `${tag(partition)}m`,
    fences: (partition: number) => `${tag(partition)}f`,
    entry: (partition: number, view: string, key: string) => `${tag(partition)}e:${view}:${key}`,
    members: (partition: number, view: string, key: string) => `${tag(partition)}d:${view}:${key}`,
    /** View and key of an entry's name. */
    parse: (name: string) => {
      const [, view = '', key = ''] = /^\{[^}]*\}e:([^:]*):(.*)$/s.exec(name) ?? [];
      return { view, key };
    },
  };
}

async function withDeadline<T>(reply: Promise<T[]>, timeoutMs: number): Promise<T[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new CacheUnavailable(`Redis did not answer within ${timeoutMs} ms.`, 'timeout'));
    // A turn more: after a stall of this process the reply may lie in the socket, unread.
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    const replies = await Promise.race([reply, late]);
    for (const one of replies) if (one instanceof Error) throw one;
    return replies;
  } catch (error) {
    if (error instanceof CacheUnavailable || error instanceof UnexpectedReply) throw error;
    throw unavailable(error);
  } finally {
    clearTimeout(timer);
    reply.catch(() => {});
  }
}

function unavailable(cause: unknown): CacheUnavailable {
  const text = cause instanceof Error ? cause.message : '';
  if (text.startsWith('OOM')) return new CacheUnavailable('Redis is out of memory.', 'memory', { cause });
  if (text.startsWith('WRONGTYPE'))
    return new CacheUnavailable('A key in Redis has a foreign type.', 'reply', { cause });
  return new CacheUnavailable('Redis is out of reach.', 'connection', { cause });
}
