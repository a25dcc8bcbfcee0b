// What only happens among several nodes: a master dies and its replica takes over by itself, or is told to.
import { during, type Fault, type Scene, span } from './fault.js';
import type { RedisNode } from './redis-node.js';
import { oneOf, pause } from './traffic.js';

const TAKEOVER_MS = 10_000;

export const clusterFaults: readonly Fault[] = [
  {
    // It comes back empty, and follows whoever has taken its place.
    kind: 'master-dies',
    touches: 'redis',
    moves: true,
    weight: 2,
    topologies: ['cluster', 'sentinel'],
    strike: async (scene) => {
      const master = oneOf(await scene.site.redis.masters(), scene.random);
      await during(
        0,
        () => master.kill(),
        () => replaced(scene, master),
      );
      await master.restart('empty');
    },
  },
  {
    kind: 'master-frozen-out',
    touches: 'redis',
    moves: true,
    weight: 2,
    topologies: ['cluster', 'sentinel'],
    strike: async (scene) => {
      const master = oneOf(await scene.site.redis.masters(), scene.random);
      master.freeze();
      try {
        await replaced(scene, master);
        await pause(span(scene.random, 0, 3_000));
      } finally {
        master.thaw();
      }
    },
  },
  {
    kind: 'planned-failover',
    touches: 'redis',
    moves: true,
    topologies: ['cluster'],
    strike: async ({ site, random }) => {
      const masters = await site.redis.masters();
      const replica = oneOf(
        site.redis.nodes.filter((node) => !masters.includes(node)),
        random,
      );
      await replica.cli.cluster('FAILOVER');
      await pause(1_000);
    },
  },
];

/** Resolves once another is master in its place, or nobody is for long. */
async function replaced({ site }: Scene, master: RedisNode): Promise<void> {
  const mastersNow = () => site.redis.masters().catch((): readonly RedisNode[] => []);
  const before = (await mastersNow()).length;
  const untilMs = performance.now() + TAKEOVER_MS;
  while (performance.now() < untilMs) {
    const masters = await mastersNow();
    if (!masters.includes(master) && masters.length >= before) return;
    await pause(100);
  }
}
