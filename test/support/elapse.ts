// Redis keeps its own time, so what is to grow old there has its moments moved into the past instead.
import type { Cluster, Redis } from 'ioredis';

/** An entry of one partition: `tag` is the partition's, braces included. */
export interface EntryInRedis {
  readonly tag: string;
  readonly view: string;
  readonly key: string;
}

/** Lets `ms` pass for one entry; where negative, what happened to it lies in the future. */
export async function elapse(cli: Redis | Cluster, { tag, view, key }: EntryInRedis, ms: number): Promise<void> {
  const [entry, members] = [`${tag}e:${view}:${key}`, `${tag}d:${view}:${key}`];
  const { f: fences, x: until, s: stored } = await cli.hgetall(entry);
  const earlier = (at: string) => String(Number(at) - ms);
  if (fences)
    await cli.hset(
      entry,
      'f',
      fences.replace(/:(\d+)/g, (_, at) => `:${earlier(at)}`),
    );
  if (until) await cli.hset(entry, 'x', earlier(until));
  if (stored) await cli.hset(entry, 's', earlier(stored));
  for (const each of [entry, members]) {
    const ttlMs = await cli.pttl(each);
    if (ttlMs > 0) await cli.pexpire(each, Math.max(0, ttlMs - ms));
  }
  const fencedAt = await cli.zscore(`${tag}f`, entry);
  if (fencedAt !== null) await cli.zadd(`${tag}f`, earlier(fencedAt), entry);
}
