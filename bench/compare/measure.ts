// Takes the slices of one workload: contestants take turns round by round, so that what the machine does besides falls
// on all of them alike.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { programAt } from '../support/program.js';
import type { Running } from './contestants.js';
import type { Entry, Measured } from './figures.js';
import type { Order, Outcome } from './generator.js';
import type { Size } from './size.js';
import type { GrowthName, WorkloadName } from './workloads.js';

export interface Course {
  readonly seconds: number;
  readonly repeats: number;
}

export interface Generator {
  readonly obey: (order: Order) => Promise<Outcome & { kind: 'measured' }>;
  readonly close: () => Promise<void>;
}

/** Starts the process that makes the load. */
export function openGenerator(size: Size): Generator {
  const { file, flags } = programAt('./generator', import.meta.url);
  const child = fork(file, [JSON.stringify(size)], { execArgv: [...flags] });
  return {
    obey: async (order) => {
      child.send(order);
      const outcome = await answerOf(child);
      if (outcome.kind === 'broken') throw new Error(`${order.name}, ${order.workload}: ${outcome.message}`);
      return outcome;
    },
    close: async () => {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function answerOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('The load generator ended.'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Outcome);
    });
  });
}

const PREPARING_MS = 180_000;

/** Everything is asked for once, a slice is thrown away, and then each round begins with another contestant. */
export async function measure(
  workload: WorkloadName | GrowthName,
  running: readonly Running[],
  { seconds, repeats }: Course,
  generator: Generator,
): Promise<readonly Entry[]> {
  const rounds = new Map<string, Measured[]>(running.map(({ entrant }) => [entrant.name, []]));
  const order = (kind: Order['kind'], { entrant, port, lane }: Running, ms: number): Order => ({
    kind,
    workload,
    name: entrant.name,
    port,
    lane,
    ms,
  });
  for (const one of running) {
    if (one.entrant.answers) await generator.obey(order('prepare', one, PREPARING_MS));
    await generator.obey(order('slice', one, seconds * 1_000));
  }
  for (let round = 0; round < repeats; round++) {
    const first = round % running.length;
    for (const one of [...running.slice(first), ...running.slice(0, first)]) {
      const before = one.use();
      const beganMs = performance.now();
      const { slice, cpuUs } = await generator.obey(order('slice', one, seconds * 1_000));
      const elapsedUs = (performance.now() - beganMs) * 1_000;
      const after = one.use();
      rounds.get(one.entrant.name)?.push({
        slice,
        cpuUs: (after.cpuUs - before.cpuUs) / slice.requests,
        rssMiB: after.rssMiB,
        loadBusy: cpuUs / elapsedUs,
      });
    }
  }
  return running.map(({ entrant: { name, title } }) => ({ name, title, rounds: rounds.get(name) ?? [] }));
}
