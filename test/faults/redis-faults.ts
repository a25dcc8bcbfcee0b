// A Redis that freezes, forgets, goes back in time, runs out of memory, or is replaced by one that knows less.
import { during, type Fault, type Scene, span } from './fault.js';
import type { RedisNode } from './redis-node.js';
import { oneOf, pause } from './traffic.js';

/** Does something to one of the masters. */
const toMaster = (kind: string, weight: number, harm: (node: RedisNode, scene: Scene) => Promise<unknown>): Fault => ({
  kind,
  weight,
  touches: 'redis',
  strike: async (scene) => harm(oneOf(await scene.site.redis.masters(), scene.random), scene),
});

export const redisFaults: readonly Fault[] = [
  toMaster('freeze-redis', 2, (node, { random }) =>
    during(
      span(random, 100, 6_000),
      () => node.freeze(),
      () => node.thaw(),
    ),
  ),
  {
    kind: 'freeze-replica',
    weight: 0.5,
    touches: 'redis',
    strike: async ({ site, random }) => {
      const masters = await site.redis.masters();
      const replicas = site.redis.nodes.filter((node) => !masters.includes(node));
      if (replicas.length === 0) return false;
      const replica = oneOf(replicas, random);
      return during(
        span(random, 100, 6_000),
        () => replica.freeze(),
        () => replica.thaw(),
      );
    },
  },
  toMaster('redis-restarts-empty', 1, (node) => node.restart('empty')),
  toMaster('redis-restarts-from-dump', 1.5, async (node, { random }) => {
    await node.save();
    await pause(span(random, 200, 4_000));
    await node.restart('dump');
  }),
  toMaster('flushall', 1, (node) => node.cli.flushall()),
  toMaster('script-flush', 0.5, (node) => node.cli.script('FLUSH')),
  toMaster('client-kill', 1, (node) => node.cli.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
  toMaster('meta-lost', 1, (node, scene) => lose(node, '*}m', scene)),
  toMaster('entries-lost', 1, (node, scene) => lose(node, '*}[ed]:*', scene)),
  toMaster('memory-short', 1.5, async (node, { random, tell }) => {
    const evicted = async () => Number(/^evicted_keys:(\d+)/m.exec(await node.cli.info('stats'))?.[1]);
    const before = await evicted();
    const memory = await node.cli.info('memory');
    const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1]);
    const held = bytes('used_memory') - bytes('used_memory_startup');
    const limit = random() < 0.3 ? 1_000_000 : Math.round(bytes('used_memory') - held * random());
    await during(
      span(random, 500, 5_000),
      () => node.cli.config('SET', 'maxmemory', String(limit)),
      () => node.cli.config('SET', 'maxmemory', '0'),
    );
    const gone = (await evicted()) - before;
    tell(`${gone} evicted`);
    return gone !== 0;
  }),
  {
    kind: 'lossy-failover',
    touches: 'redis',
    weight: 2,
    moves: true,
    strike: async ({ site, random, tell }) => {
      const lostMs = span(random, 0, 1_500);
      tell(`nothing replicated for ${Math.round(lostMs)} ms`);
      const failedOver = await site.redis.failOver({ lostMs, left: [], random });
      return failedOver ? failedOver.rejoin() : false;
    },
  },
  ...[false, true].map((cutOff): Fault => {
    return {
      kind: cutOff ? 'minority-without-postgres' : 'minority',
      touches: 'redis',
      weight: 1.5,
      moves: true,
      strike: (scene) => strand(scene, cutOff),
    };
  }),
];

/** Deletes some of the keys that look like this. */
async function lose(node: RedisNode, pattern: string, { random, tell }: Scene): Promise<boolean> {
  const keys = (await node.cli.keys(pattern)).filter(() => random() < 0.4);
  await Promise.all(keys.map((key) => node.cli.del(key)));
  tell(`${keys.length} keys`);
  return keys.length > 0;
}

/** One gateway stays with the old master when the others move on, with Postgres or without. */
async function strand({ site, random, tell }: Scene, cutOff: boolean): Promise<boolean> {
  const left = oneOf([...site.gateways.keys()], random);
  const lostMs = span(random, 0, 1_000);
  tell(`g${left + 1} stays with the old master, nothing replicated for ${Math.round(lostMs)} ms`);
  const link = site.postgresLinks[left];
  if (cutOff) link?.flow('held', 'held');
  try {
    const failedOver = await site.redis.failOver({ lostMs, left: [left], random });
    if (!failedOver) return false;
    // Without Postgres it takes the life of a lease until the others go on without it.
    await pause(span(random, cutOff ? 5_000 : 1_500, 9_000));
    await failedOver.rejoin();
    return true;
  } finally {
    link?.mend();
  }
}
