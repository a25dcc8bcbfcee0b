// How soon all is well again after a fault, and what readers and writers notice of it, against the bounds that are promised.
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Checker } from '../../test/faults/checker.js';
import { checkedKey } from '../../test/faults/domain.js';
import { parameters } from '../../test/faults/domain-parameter.js';
import type { Topology } from '../../test/faults/redis-side.js';
import { openSite, type Site } from '../../test/faults/site.js';
import { Tallies } from '../../test/faults/traffic.js';
import type { Violation } from '../../test/faults/violation.js';
import { seeded } from '../../test/support/freshness.js';
import { clusterFailover } from './cluster-failover.js';
import { editToCache } from './edit-to-cache.js';
import { type Figure, isKept, tableOf } from './figure.js';
import { frozenRedis } from './frozen-redis.js';
import { lostFence } from './lost-fence.js';
import type { MeasuredScene, Measurement } from './measurement.js';
import { orphanedFence } from './orphaned-fence.js';
import { restoredDump } from './restored-dump.js';

const MEASUREMENTS: readonly Measurement[] = [
  restoredDump,
  frozenRedis,
  orphanedFence,
  lostFence,
  editToCache,
  clusterFailover,
];
const USAGE = `npm run bench:recovery -- [--only ${MEASUREMENTS.map(({ name }) => name).join(',')}] [--repeats N] [--dist FOLDER]`;

interface Arguments {
  readonly measurements: readonly Measurement[];
  readonly repeats: number;
  readonly root: string;
}

export interface Project {
  readonly root: string;
  /** Compiles it. */
  readonly build: () => void;
}

/** Measures, prints a table; resolves to 0, or to 1 where a bound is missed or a read was stale, or 2 if called wrongly. */
export async function main(args: readonly string[], { root, build }: Project): Promise<number> {
  let asked: Arguments;
  try {
    asked = readArguments(args, root);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    return 2;
  }
  if (asked.root === root) build();
  const figures: Figure[] = [];
  for (const topology of ['standalone', 'cluster'] as const) {
    const measurements = asked.measurements.filter((each) => each.topology === topology);
    if (measurements.length > 0) figures.push(...(await measureOn(topology, measurements, asked)));
  }
  process.stdout.write(`${tableOf(figures)}\n`);
  return figures.every(isKept) ? 0 : 1;
}

/** On one site, one after the other; the last figure is of stale reads in all of them. */
async function measureOn(
  topology: Topology,
  measurements: readonly Measurement[],
  { repeats, root }: Arguments,
): Promise<readonly Figure[]> {
  const deaths: string[] = [];
  const onDeath = (gateway: string, how: string) => deaths.push(`${gateway} ended by itself: ${how}`);
  const site = await openSite({ topology, gateways: 2, root, onDeath, ttlSeconds: {} });
  const onSignal = () => void site.close().then(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    const violations: Violation[] = [];
    const scene = await openScene(site, repeats, (violation) => violations.push(violation));
    const figures: Figure[] = [];
    for (const { name, measure } of measurements) {
      process.stderr.write(`${topology}: ${name}\n`);
      figures.push(...(await measure(scene).catch((error: unknown) => [brokenOff(name, error)])));
    }
    for (const what of [...deaths, ...violations.slice(0, 3).map((one) => JSON.stringify(one))]) {
      process.stderr.write(`${what}\n`);
    }
    const amiss = violations.length + deaths.length;
    const name = `Stale reads among ${scene.checker.reads.toLocaleString('en')} (${topology})`;
    return [...figures, { name, unit: '', values: [amiss], bound: { of: 'each', most: 0 } }];
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
    await site.close();
  }
}

/** A measurement that could not be taken is a bound that was missed. */
function brokenOff(name: string, error: unknown): Figure {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  return { name: `${name} broke off`, unit: '', values: [1], bound: { of: 'each', most: 0 } };
}

async function openScene(
  site: Site,
  repeats: number,
  onViolation: (violation: Violation) => void,
): Promise<MeasuredScene> {
  const { psql } = site.postgres;
  // An older answer after a newer one may be shown while an epoch is replaced, which is what happens here all the time.
  const checker = new Checker({ nowMs: () => performance.now(), excuse: () => 'epoch replaced', onViolation });
  await parameters.seed(psql);
  const rows = await psql<{ key: string; version: string }[]>`SELECT key, version FROM entry WHERE view = 'parameter'`;
  const versions = new Map(rows.map(({ key, version }) => [key, Number(version)]));
  for (const key of parameters.batches.flat()) {
    checker.open(checkedKey(parameters, key), parameters.first, versions.get(key) ?? 0);
  }
  let written = 0;
  const base = { site, checker, random: seeded(1), serial: () => ++written };
  const tallies = new Tallies();
  return { ...base, repeats, traffic: (over) => ({ ...base, tallies, over }) };
}

function readArguments(args: readonly string[], root: string): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      repeats: { type: 'string', default: '3' },
      dist: { type: 'string' },
    },
  });
  const repeats = Number(values.repeats);
  if (!Number.isSafeInteger(repeats) || repeats < 1 || repeats > 100) throw new Error('--repeats is from 1 to 100.');
  const only = values.only.split(',').filter((name) => name !== '');
  const unknown = only.filter((name) => !MEASUREMENTS.some((each) => each.name === name));
  if (unknown.length > 0) throw new Error(`There is no measurement ${unknown.join(', ')}.`);
  const measurements = MEASUREMENTS.filter(({ name }) => only.length === 0 || only.includes(name));
  return { measurements, repeats, root: values.dist ? dirname(resolve(values.dist)) : root };
}
