// `npm run faults`: the command line of the fault harness.
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Topology } from './redis-side.js';
import { run } from './run.js';
import { faultsFor } from './saboteur.js';
import { summaryOf, tableOf } from './summary.js';

const TOPOLOGIES: readonly Topology[] = ['standalone', 'cluster', 'sentinel'];
const USAGE = `npm run faults -- --minutes M --seed S [--redis standalone|cluster|sentinel|all] [--gateways 2|3]
                  [--workers N] [--only KIND,KIND] [--dist FOLDER]`;

interface Arguments {
  readonly minutes: number;
  readonly seed: number;
  readonly topologies: readonly Topology[];
  readonly gateways: number;
  readonly workers: number;
  readonly only: readonly string[];
  readonly root: string;
}

export interface Project {
  readonly root: string;
  /** Compiles it. */
  readonly build: () => void;
}

/** Runs the harness on the project's gateway; resolves to 0, or to 1 after a violation, or 2 if called wrongly. */
export async function main(args: readonly string[], { root, build }: Project): Promise<number> {
  let asked: Arguments;
  try {
    asked = readArguments(args, root);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    return 2;
  }
  const { minutes, seed, topologies, gateways, workers, only } = asked;
  if (asked.root === root) build();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort(new Error(`Interrupted by ${signal}.`)));
  }
  const tell = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
  let failed = false;
  for (const topology of topologies) {
    const forMs = (minutes * 60_000) / topologies.length;
    try {
      tell({ topology, seed, gateways, workers, seconds: forMs / 1_000, root: asked.root });
      const { signal: interrupted } = interruption;
      const outcome = await run({
        topology,
        gateways,
        workers,
        forMs,
        seed,
        only,
        root: asked.root,
        tell,
        interrupted,
      });
      const summary = summaryOf(outcome);
      tell({ summary });
      process.stdout.write(`\n${tableOf(summary)}\n\n`);
      failed ||= outcome.violationCount > 0 || outcome.failures.length > 0;
    } catch (error) {
      process.stderr.write(
        `${interruption.signal.aborted || !(error instanceof Error) ? String(error) : error.stack}\n`,
      );
      return interruption.signal.aborted ? 130 : 1;
    }
  }
  return failed ? 1 : 0;
}

function readArguments(args: readonly string[], root: string): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      redis: { type: 'string', default: 'standalone' },
      gateways: { type: 'string', default: '2' },
      workers: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      dist: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 600)) throw new Error('--minutes is a number above 0.');
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed is a whole number.');
  const gateways = Number(values.gateways);
  if (gateways !== 2 && gateways !== 3) throw new Error('--gateways is 2 or 3.');
  const workers = Number(values.workers);
  if (!(Number.isSafeInteger(workers) && workers >= 1 && workers <= 8)) throw new Error('--workers is 1 to 8.');
  const topologies = values.redis === 'all' ? TOPOLOGIES : TOPOLOGIES.filter((each) => each === values.redis);
  if (topologies.length === 0) throw new Error('--redis is standalone, cluster, sentinel or all.');
  const only = values.only.split(',').filter((kind) => kind !== '');
  for (const topology of topologies) faultsFor(topology, only);
  const builtAt = values.dist ? dirname(resolve(values.dist)) : root;
  return { minutes, seed, topologies, gateways, workers, only, root: builtAt };
}
