// A master of a Redis Cluster dies; its replica takes over once the others have missed it for the node time-out. Gateways
// then agree on the new master.
import { TRUST_LEASE_MS } from '../../src/cache/lease.js';
import { parameters } from '../../test/faults/domain-parameter.js';
import { MASTERS, NODE_TIMEOUT_MS } from '../../test/faults/redis-cluster.js';
import type { RedisNode } from '../../test/faults/redis-node.js';
import { oneOf, pause } from '../../test/faults/traffic.js';
import type { MeasuredScene, Measurement } from './measurement.js';
import { untilAll, untilRegained } from './trust.js';
import { sum, Viewers } from './viewers.js';

const SETTLE_MS = 1_000;
const LOOK_EVERY_MS = 20;

export const clusterFailover: Measurement = {
  name: 'cluster',
  topology: 'cluster',
  measure: async (scene) => {
    const { site, random, repeats } = scene;
    const values: number[] = [];
    const takenOver: number[] = [];
    const failed: number[] = [];
    const keys = parameters.batches.flat();
    const viewers = new Viewers({ scene, perGateway: 2, keys, keysPerRequest: 20, restMs: 20 });
    try {
      for (let repeat = 0; repeat < repeats; repeat++) {
        await untilAll(site.gateways, true);
        await pause(SETTLE_MS);
        const master = oneOf(await site.redis.masters(), random);
        const diedMs = performance.now();
        const regained = untilRegained(site.gateways);
        await master.kill();
        await untilReplaced(scene, master);
        takenOver.push(performance.now() - diedMs);
        const trustedMs = await regained;
        values.push(trustedMs - diedMs);
        failed.push(sum(viewers.between(diedMs, trustedMs), (seen) => seen.failed));
        await master.restart('empty');
        await untilFollows(master);
      }
    } finally {
      await viewers.stop();
    }
    return [
      {
        name: 'A master of a Redis Cluster dies: until its replica is trusted',
        unit: 'ms',
        values,
        bound: { of: 'each', most: NODE_TIMEOUT_MS + TRUST_LEASE_MS + 2_000 },
      },
      { name: '  of which until it has taken over', unit: 'ms', values: takenOver },
      { name: '  reads without an answer meanwhile', unit: '', values: failed, bound: { of: 'each', most: 0 } },
    ];
  },
};

async function untilReplaced({ site }: MeasuredScene, master: RedisNode): Promise<void> {
  for (;;) {
    const masters = await site.redis.masters();
    if (masters.length === MASTERS && !masters.includes(master)) return;
    await pause(LOOK_EVERY_MS);
  }
}

/** It came back empty, and is the replica of whoever took its place. */
async function untilFollows(node: RedisNode): Promise<void> {
  while (!(await node.cli.info('replication')).includes('master_link_status:up')) await pause(SETTLE_MS / 10);
}
