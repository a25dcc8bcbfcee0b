// Cache-aside as people write it by hand: read Redis; on a miss load from Postgres and store with a TTL; after a write
// delete or overwrite the key. It may serve stale data; that is what it is compared for.
import DataLoader from 'dataloader';
import { Redis } from 'ioredis';

const TTL_S = 3_600;

/** How the keys of one turn of the event loop reach Redis: a GET for each, or one MGET for all. */
export type Asking = 'each' | 'together';

export interface PlainCache {
  /** The JSON under `key`, or null where there is none. */
  readonly read: (key: string) => Promise<string | null>;
  readonly drop: (key: string) => Promise<void>;
  readonly store: (key: string, json: string) => Promise<void>;
  readonly counts: { hits: number; misses: number };
  readonly close: () => void;
}

/** `load` finds the JSON of a menu in Postgres. */
export function plainCache(
  redisUrl: string,
  load: (key: string) => Promise<string | null>,
  asking: Asking,
): PlainCache {
  const redis = new Redis(redisUrl);
  const nameOf = (key: string) => `${asking}:menu:${key}`;
  const counts = { hits: 0, misses: 0 };
  const loader = new DataLoader<string, string | null>((names) => redis.mget([...names]), {
    cache: false,
    batchScheduleFn: (send) => void setImmediate(send),
  });
  const get = asking === 'each' ? (name: string) => redis.get(name) : (name: string) => loader.load(name);
  const store = async (key: string, json: string) => void (await redis.set(nameOf(key), json, 'EX', TTL_S));
  return {
    counts,
    store,
    drop: async (key) => void (await redis.del(nameOf(key))),
    close: () => redis.disconnect(),
    read: async (key) => {
      const cached = await get(nameOf(key));
      if (cached !== null) {
        counts.hits++;
        return cached;
      }
      counts.misses++;
      const json = await load(key);
      if (json !== null) void store(key, json); // the caller need not wait for it
      return json;
    },
  };
}
