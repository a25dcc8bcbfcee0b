// Redis comes back from a dump that is 10,000 changes old: nobody trusts it before it has caught up with the change log.
// Meanwhile reads are answered from Postgres; afterwards hits come back as what was dropped is read again.
import { TRUST_LEASE_MS } from '../../src/cache/lease.js';
import { checkedKey, numbered } from '../../test/faults/domain.js';
import { parameters } from '../../test/faults/domain-parameter.js';
import { isCovered, pause } from '../../test/faults/traffic.js';
import type { MeasuredScene, Measurement } from './measurement.js';
import { untilRegained } from './trust.js';
import { look, sum, Viewers } from './viewers.js';

const KEYS = numbered('dumped', 10_000);
const KEYS_PER_LOOK = 100;
const KEYS_PER_EDIT = 250;
/** A barrier waits for 5 s at most. */
const BARRIERS = 12;
/** Hit ratios are those of so long a while. */
const WINDOW_MS = 500;
const WARM = 0.97;
const WARM_WITHIN_MS = 120_000;
/** The part of the hit ratio before that counts as back. */
const BACK = 0.95;
const BACK_WITHIN_MS = 30_000;

export const restoredDump: Measurement = {
  name: 'dump',
  topology: 'standalone',
  measure: async (scene) => {
    const trustedMs: number[] = [];
    const hitsMs: number[] = [];
    const failed: number[] = [];
    await seed(scene);
    const viewers = new Viewers({ scene, perGateway: 4, keys: KEYS, keysPerRequest: 50, restMs: 0 });
    try {
      for (let repeat = 0; repeat < scene.repeats; repeat++) {
        const restart = await restartBehind(scene, viewers);
        trustedMs.push(restart.trustedMs - restart.backMs);
        hitsMs.push(restart.hitsMs - restart.trustedMs);
        failed.push(sum(viewers.between(restart.lostMs, restart.trustedMs), (seen) => seen.failed));
      }
    } finally {
      await viewers.stop();
    }
    return [
      {
        name: 'Redis from a dump 10,000 changes behind: until it is trusted',
        unit: 'ms',
        values: trustedMs,
        bound: { of: 'each', most: TRUST_LEASE_MS + 2_000 },
      },
      {
        name: '  until 95 % of the hits before are back, from then',
        unit: 'ms',
        values: hitsMs,
        bound: { of: 'each', most: 10_000 },
      },
      { name: '  reads without an answer meanwhile', unit: '', values: failed, bound: { of: 'each', most: 0 } },
    ];
  },
};

/** Crashes Redis and starts it from a dump that knows nothing of what was changed last; tells when each step was over. */
async function restartBehind(scene: MeasuredScene, viewers: Viewers) {
  const { site } = scene;
  await warm(scene);
  const before = await untilHits(viewers, WARM, WARM_WITHIN_MS);
  const [master] = await site.redis.masters();
  if (!master || !before) throw new Error('The cache does not get warm.');
  await master.save();
  await changeAll(scene);
  const lostMs = performance.now();
  const regained = untilRegained(site.gateways);
  await master.restart('dump');
  const backMs = performance.now();
  const trustedMs = await regained;
  const hits = await untilHits(viewers, BACK * before.ratio, BACK_WITHIN_MS, trustedMs);
  return { lostMs, backMs, trustedMs, hitsMs: hits?.fromMs ?? Number.POSITIVE_INFINITY };
}

/** The first window from `sinceMs` on with such a hit ratio; undefined where there is none in time. */
async function untilHits(viewers: Viewers, ratio: number, withinMs: number, sinceMs = performance.now()) {
  for (let fromMs = sinceMs; fromMs < sinceMs + withinMs; fromMs += WINDOW_MS / 5) {
    await pause(fromMs + WINDOW_MS - performance.now());
    const found = viewers.hitRatio(fromMs, fromMs + WINDOW_MS);
    if (found >= ratio) return { fromMs, ratio: found };
  }
  return undefined;
}

async function seed({ site, checker, serial }: MeasuredScene): Promise<void> {
  const value = String(serial());
  await site.postgres.psql`INSERT INTO security_values (name, kind, parameter)
    SELECT name, 'PARAMETER', to_jsonb(${value}::text) FROM unnest(${KEYS}::text[]) AS name`;
  const versions = await versionsOf(site);
  for (const key of KEYS) checker.open(checkedKey(parameters, key), value, versions.get(key) ?? 0);
}

/** Reads every key once, so that the cache holds all of them. */
async function warm(scene: MeasuredScene): Promise<void> {
  const [gateway] = scene.site.gateways;
  for (let at = 0; gateway && at < KEYS.length; at += KEYS_PER_LOOK) {
    await look(scene, gateway, KEYS.slice(at, at + KEYS_PER_LOOK));
  }
}

/** Plays psql, and holds all reads from now on to what it wrote. */
async function changeAll({ site, checker, serial }: MeasuredScene): Promise<void> {
  const changes = KEYS.map((key) => ({ key, value: String(serial()) }));
  const writes = changes.map(({ key, value }) => checker.beginWrite(checkedKey(parameters, key), value, 'edit'));
  for (let at = 0; at < changes.length; at += KEYS_PER_EDIT) {
    const part = changes.slice(at, at + KEYS_PER_EDIT);
    const names = part.map(({ key }) => key);
    const values = part.map(({ value }) => value);
    await site.postgres.psql`UPDATE security_values SET parameter = to_jsonb(changed.value)
      FROM unnest(${names}::text[], ${values}::text[]) AS changed (name, value)
      WHERE security_values.name = changed.name`;
  }
  let covered = await isCovered(site.postgres.psql);
  for (let attempt = 1; !covered && attempt < BARRIERS; attempt++) covered = await isCovered(site.postgres.psql);
  if (!covered) throw new Error('The barrier did not return.');
  const versions = await versionsOf(site);
  for (const [at, key] of KEYS.entries()) writes[at]?.acknowledge(versions.get(key) ?? 0, true);
}

async function versionsOf({ postgres }: MeasuredScene['site']): Promise<ReadonlyMap<string, number>> {
  const rows = await postgres.psql<{ key: string; version: string }[]>`
    SELECT key, version FROM entry WHERE view = 'parameter'`;
  return new Map(rows.map(({ key, version }) => [key, Number(version)]));
}
