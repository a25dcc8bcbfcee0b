// Connections to Redis that fail at once instead of waiting: nothing is queued while the link is down, nothing is sent
// twice, and a link that falls silent is dropped.
import { Redis, type RedisOptions } from 'ioredis';

const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 2_000,
  socketTimeout: 5_000,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
} satisfies RedisOptions;

export interface RedisConnections {
  readonly reads: Redis;
  /** Apart, so that fences and publishes never queue behind reads. */
  readonly writes: Redis;
}

/** Why a Redis cannot hold the cache. The sentence says what to change. */
export class UnsuitableRedis extends Error {
  override readonly name = 'UnsuitableRedis';
  readonly code = 'REDIS_UNSUITABLE';
}

/** Connects, and goes on trying when the server is out of reach. */
export async function connectRedis(url: string): Promise<RedisConnections> {
  const [reads, writes] = [new Redis(url, OPTIONS), new Redis(url, OPTIONS)];
  for (const redis of [reads, writes]) redis.on('error', (error) => refusals.set(redis, error));
  await Promise.allSettled([reads.connect(), writes.connect()]);
  return { reads, writes };
}

/** The last error of each connection. */
const refusals = new WeakMap<Redis, unknown>();

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && /^(WRONGPASS|NOAUTH|NOPERM)/.test(error.message);

/**
 * What the server calls itself, such as `Redis 7.2.4`; undefined while it is out of reach.
 * @throws {UnsuitableRedis} when it is older than 7.0, a replica, or may evict fences.
 */
export async function examineRedis({ reads }: RedisConnections): Promise<string | undefined> {
  let facts: ReadonlyMap<string, string>;
  try {
    facts = factsOf(await reads.info());
  } catch (error) {
    if (isRefusal(error) || isRefusal(refusals.get(reads))) {
      throw new UnsuitableRedis('Redis refuses the user or password in REDIS_URL; correct it.');
    }
    return undefined;
  }
  const valkey = facts.get('valkey_version');
  const version = valkey ?? facts.get('redis_version') ?? '0';
  const name = `${valkey ? 'Valkey' : 'Redis'} ${version}`;
  if (Number.parseInt(version, 10) < 7)
    throw new UnsuitableRedis(`Espelho needs Redis or Valkey 7.0 or newer; REDIS_URL leads to ${name}.`);
  if (facts.get('role') !== 'master')
    throw new UnsuitableRedis('REDIS_URL leads to a replica; point it at the master.');
  const policy = facts.get('maxmemory_policy') ?? 'noeviction';
  if (policy.startsWith('allkeys-')) {
    throw new UnsuitableRedis(
      `Redis runs with maxmemory-policy ${policy}, which may evict what the freshness of reads rests on; set it to volatile-lfu.`,
    );
  }
  return name;
}

function factsOf(info: string): ReadonlyMap<string, string> {
  const lines = info.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
