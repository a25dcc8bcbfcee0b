// A gateway is killed (-9) between fence and COMMIT: its fence hides a value that nobody is going to change. The next read,
// through another gateway, sees that the transaction has ended, and lifts it.
import { parameters } from '../../test/faults/domain-parameter.js';
import { killedAt } from '../../test/faults/gateway-faults.js';
import { oneOf, writeOne } from '../../test/faults/traffic.js';
import type { Measurement } from './measurement.js';
import { untilAll } from './trust.js';
import { look } from './viewers.js';

const LIFTED_WITHIN_MS = 15_000;
const KILLS_PER_REPEAT = 4;

export const orphanedFence: Measurement = {
  name: 'orphan',
  topology: 'standalone',
  measure: async (scene) => {
    const { site, random, repeats } = scene;
    const [first, other] = site.gateways;
    if (!first || !other) throw new Error('There are two gateways.');
    const values: number[] = [];
    const traffic = scene.traffic(() => false);
    for (let repeat = 0; repeat < repeats * KILLS_PER_REPEAT; repeat++) {
      await untilAll(site.gateways, true);
      const key = oneOf(parameters.batches.flat(), random);
      const killed = killedAt(scene, 0, 'fence', 'delivered');
      const writing = writeOne(traffic, first, parameters, key);
      if (await killed) {
        const beganMs = performance.now();
        let seen = await look(scene, other, [key]);
        while (seen.hits === 0 && seen.beganMs - beganMs < LIFTED_WITHIN_MS) seen = await look(scene, other, [key]);
        values.push(seen.hits > 0 ? seen.beganMs - beganMs : Number.POSITIVE_INFINITY);
      }
      await writing;
      await first.start();
    }
    return [
      {
        name: 'Orphaned fence: from the next read until it is lifted',
        unit: 'ms',
        values,
        bound: { of: 'each', most: 150 },
      },
    ];
  },
};
