// One worker of a run: its share of the schedules, with word of how far it has come. Started by scripts/simulate.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import type { Violation } from './checker.js';
import { modelTier } from './model.js';
import { openRealTier, type RealServers } from './real.js';
import { type Outcome, runSchedule } from './schedule.js';

/** What a worker is to do. */
export interface Order {
  readonly seed: number;
  readonly schedules: number;
  /** No schedule begins after so long. */
  readonly seconds: number;
  /** This worker's place among `workers`; it takes every one of that many schedules. */
  readonly worker: number;
  readonly workers: number;
  readonly untilViolation: boolean;
  readonly trace: boolean;
  /** Comes over every schedule. */
  readonly storm: string | undefined;
  /** In every schedule readers answer again what they have read, where it stands; else in a share of them. */
  readonly answers: boolean;
  /** Where the servers of this worker are; the model needs none. */
  readonly real: RealServers | undefined;
}

export interface Totals {
  schedules: number;
  reads: number;
  acknowledgements: number;
  commits: number;
  steps: number;
  violations: number;
  /** By what went wrong first. */
  kinds: Record<string, number>;
  faults: Record<string, number>;
}

export type Word =
  | { readonly kind: 'progress' | 'done'; readonly totals: Totals }
  | {
      readonly kind: 'violation';
      readonly seed: number;
      readonly at: number;
      readonly violations: readonly Violation[];
    }
  | { readonly kind: 'trace'; readonly lines: readonly string[] };

const PROGRESS_MS = 1_000;

async function work(order: Order, tell: (word: Word) => void): Promise<void> {
  const real = order.real && (await openRealTier(order.real));
  const totals: Totals = {
    schedules: 0,
    reads: 0,
    acknowledgements: 0,
    commits: 0,
    steps: 0,
    violations: 0,
    kinds: {},
    faults: {},
  };
  let toldMs = performance.now();
  const endMs = toldMs + 1_000 * order.seconds;
  for (let at = order.worker; at < order.schedules; at += order.workers) {
    if (performance.now() > endMs) break;
    const seed = order.seed + at;
    const trace: string[] | undefined = order.trace ? [] : undefined;
    const { storm, answers } = order;
    const outcome = await runSchedule({ tier: real?.tier ?? modelTier, seed, storm, answers, trace }).catch(
      (error: unknown) => {
        throw new Error(`The schedule of seed ${seed} failed.\n${trace?.slice(-40).join('\n') ?? ''}`, {
          cause: error,
        });
      },
    );
    add(totals, outcome);
    if (trace) tell({ kind: 'trace', lines: trace });
    if (outcome.violations.length > 0) {
      tell({ kind: 'violation', seed, at, violations: outcome.violations });
      if (order.untilViolation) break;
    }
    if (performance.now() - toldMs > PROGRESS_MS) {
      toldMs = performance.now();
      tell({ kind: 'progress', totals });
      // Lets the outside have its turn: schedules leave none.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  tell({ kind: 'done', totals });
  await real?.close();
}

function add(totals: Totals, outcome: Outcome): void {
  totals.schedules++;
  totals.reads += outcome.reads;
  totals.acknowledgements += outcome.acknowledgements;
  totals.commits += outcome.commits;
  totals.steps += outcome.steps;
  const [first] = outcome.violations;
  if (first) totals.violations++;
  if (first) totals.kinds[first.kind] = (totals.kinds[first.kind] ?? 0) + 1;
  for (const [fault, count] of Object.entries(outcome.faults))
    totals.faults[fault] = (totals.faults[fault] ?? 0) + count;
}

// Errors are ordinary here, and nobody reads where they come from.
if (!workerData.trace) Error.stackTraceLimit = 0;
await work(workerData, (word) => parentPort?.postMessage(word));
