// A store on a Redis, with what a test needs to look behind it and to let time pass.
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis, redisStore, type Store } from '../../src/cache/index.js';
import type { StoreUnderTest } from '../contracts/store.js';
import { elapse } from './elapse.js';
import { redisCli } from './redis.js';

export interface RedisUnderTest extends StoreUnderTest {
  readonly store: Store;
  readonly cli: Redis;
  readonly installation: string;
  /** The name of `note:<key>` in partition 0: `e` the entry, `d` its members. */
  readonly key: (part: string, key: string) => string;
}

/** A store of an installation of its own on the Redis at `url`. */
export async function openRedisStore(url: string, timeoutMs = 5_000): Promise<RedisUnderTest> {
  const installation = randomBytes(4).toString('hex');
  const cli = redisCli(url);
  const store = redisStore({ ...(await connectRedis(url)), installation, timeoutMs });
  const key = (part: string, key: string) => `{${installation}.0}${part && `${part}:note:${key}`}`;
  return {
    store: {
      ...store,
      close: async () => {
        cli.disconnect();
        await store.close();
      },
    },
    cli,
    installation,
    key,
    elapse: (partition, key, ms) => elapse(cli, { tag: `{${installation}.${partition}}`, view: 'note', key }, ms),
  };
}
