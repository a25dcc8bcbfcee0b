// A change by psql, from the answer to its COMMIT until a read through a gateway has shown it.
import { checkedKey } from '../../test/faults/domain.js';
import { parameters } from '../../test/faults/domain-parameter.js';
import { oneOf, pause } from '../../test/faults/traffic.js';
import type { MeasuredScene, Measurement } from './measurement.js';
import { look } from './viewers.js';

const EDITS_PER_REPEAT = 100;
const SHOWN_WITHIN_MS = 5_000;
const SETTLE_MS = 50;

export const editToCache: Measurement = {
  name: 'edit',
  topology: 'standalone',
  measure: async (scene) => {
    const values: number[] = [];
    for (let edit = 0; edit < scene.repeats * EDITS_PER_REPEAT; edit++) {
      values.push(await editOne(scene));
      await pause(scene.random() * SETTLE_MS);
    }
    return [{ name: 'psql edit until it is read', unit: 'ms', values, bound: { of: 'p99', most: 100 } }];
  },
};

/** Edits a key that the cache holds; resolves to how long it took to be read. */
async function editOne(scene: MeasuredScene): Promise<number> {
  const { site, checker, random, serial } = scene;
  const key = oneOf(parameters.batches.flat(), random);
  const gateway = oneOf(site.gateways, random);
  while ((await look(scene, gateway, [key])).hits === 0) await pause(1);
  const value = String(serial());
  const write = checker.beginWrite(checkedKey(parameters, key), value, 'edit');
  const version = await parameters.edit?.(site.postgres.psql, key, value);
  const committedMs = performance.now();
  const { query, variables } = parameters.read([key]);
  let shownMs = Number.POSITIVE_INFINITY;
  while (shownMs === Number.POSITIVE_INFINITY && performance.now() - committedMs < SHOWN_WITHIN_MS) {
    const [shown] = parameters.answers(await gateway.ask(query, variables), [key]);
    if (shown?.value === value) shownMs = performance.now();
  }
  write.acknowledge(version ?? 0, false);
  return shownMs - committedMs;
}
