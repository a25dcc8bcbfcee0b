// An entry whose members lie in a key of their own, of which Redis may take some, or all, for want of memory.
import { expect, inject, it } from 'vitest';
import { Partition, value } from '../contracts/partition.js';
import { openRedisStore } from '../support/redis-store.js';

it('of which members are gone is read anew; what was answered from them all before is as true as it was', async () => {
  const redis = await openRedisStore(inject('redisUrl'));
  const at = await Partition.begin(redis.store, 0);
  for (const [key, spoil] of [
    ['some', () => redis.cli.rpop(redis.key('d', 'some'))],
    ['all', () => redis.cli.del(redis.key('d', 'all'))],
  ] as const) {
    await at.filled(key, value({ members: ['"0"', '"1"'] }));
    const before = await at.standing(key);
    expect(before).toBeDefined();
    await spoil();
    expect(await at.standing(key)).toBe(before);
    expect(await at.read(key, 't1')).toMatchObject({ kind: 'lease' });
  }
  await redis.store.close();
});
