// Redis stands still for a while (SIGSTOP) and goes on as the same incarnation: readers stop to ask it, and go to Postgres
// without waiting; soon after its return all is normal.
import { parameters } from '../../test/faults/domain-parameter.js';
import { pause, writeOne } from '../../test/faults/traffic.js';
import { quantile } from './figure.js';
import type { Measurement } from './measurement.js';
import { untilAll } from './trust.js';
import { sum, Viewers } from './viewers.js';

const FROZEN_MS = 4_000;
/** From when on reads in the freeze are those that know better than to ask Redis. */
const KNOWN_MS = 1_500;
const SETTLE_MS = 1_000;
const WRITE_EVERY_MS = 300;

export const frozenRedis: Measurement = {
  name: 'frozen',
  topology: 'standalone',
  measure: async (scene) => {
    const { site, repeats } = scene;
    const openMs: number[] = [];
    const addedMs: number[] = [];
    const normalMs: number[] = [];
    const failed: number[] = [];
    const keys = parameters.batches.flat();
    const [written, ...viewed] = keys;
    let over = false;
    const traffic = scene.traffic(() => over);
    const writing = site.gateways.map(async (gateway) => {
      while (!over) {
        await writeOne(traffic, gateway, parameters, written ?? '');
        await pause(WRITE_EVERY_MS);
      }
    });
    const viewers = new Viewers({ scene, perGateway: 2, keys: viewed, keysPerRequest: 10, restMs: 15 });
    try {
      for (let repeat = 0; repeat < repeats; repeat++) {
        await untilAll(site.gateways, true);
        await pause(SETTLE_MS);
        const [master] = await site.redis.masters();
        const frozenMs = performance.now();
        master?.freeze();
        const doubted = untilAll(site.gateways, false);
        await pause(FROZEN_MS);
        openMs.push((await doubted) - frozenMs);
        const thawedMs = performance.now();
        master?.thaw();
        normalMs.push((await untilAll(site.gateways, true)) - thawedMs);
        const meanwhile = viewers.between(frozenMs, thawedMs);
        const known = viewers.between(frozenMs + KNOWN_MS, thawedMs);
        const ordinaryMs = quantile(
          known.map(({ beganMs, endedMs }) => endedMs - beganMs),
          0.5,
        );
        addedMs.push(...meanwhile.map(({ beganMs, endedMs }) => endedMs - beganMs - ordinaryMs));
        failed.push(sum(meanwhile, (seen) => seen.failed));
      }
    } finally {
      over = true;
      await Promise.all([viewers.stop(), ...writing]);
    }
    return [
      { name: 'Redis frozen: until nobody asks it', unit: 'ms', values: openMs, bound: { of: 'each', most: 1_000 } },
      {
        name: '  what a read takes longer than one from Postgres',
        unit: 'ms',
        values: addedMs,
        bound: { of: 'p99', most: 150 },
      },
      { name: '  reads without an answer meanwhile', unit: '', values: failed, bound: { of: 'each', most: 0 } },
      {
        name: 'Redis goes on, the same incarnation: until it is trusted',
        unit: 'ms',
        values: normalMs,
        bound: { of: 'each', most: 2_000 },
      },
    ];
  },
};
