// Cache-aside as people write it by hand: GET; on a miss read Postgres and SET with a life; after a write DEL.
import { Redis } from 'ioredis';

const LIFE_S = 3_600;

/** `documents` read through Redis, each kind by its key. */
export function openCacheAside(redisUrl, documents) {
  const redis = new Redis(redisUrl);
  const read = async (kind, key) => {
    const name = `${kind}:${key}`;
    const cached = await redis.get(name);
    if (cached !== null) return JSON.parse(cached);
    const found = await documents[kind](key);
    if (found !== null) void redis.set(name, JSON.stringify(found), 'EX', LIFE_S);
    return found;
  };
  return {
    menu: (key) => read('menu', key),
    flags: (environment) => read('flags', environment),
    statement: (number) => read('statement', number),
    token: (digest) => read('token', digest),
    digestOf: documents.digestOf,
    rename: async (key, item, label) => {
      const id = await documents.rename(key, item, label);
      await redis.del(`menu:${key}`);
      return id;
    },
  };
}
