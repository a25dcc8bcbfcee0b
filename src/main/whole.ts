// What several processes answer as one: health, and the numbers of all.

import { metricsText, type Readiness } from '../server/index.js';
import type { Answering, Pool } from '../workers/index.js';
import { processSamples } from './measures.js';
import type { OfWhole, OfWorker, Report } from './roles.js';

export type Workers = Pool<Report, OfWhole, OfWorker>;

/** Below what a probe, and a worker that asks for it, wait. */
const PATIENCE_MS = 1_500;

/** What may be asked about all of them; `workers` is asked each time. */
export const wholeOf = (workers: () => Workers): Answering<OfWhole> => ({
  readiness: () => readinessOfAll(workers()),
  liveness: () => livenessOfAll(workers()),
  metrics: () => metricsOfAll(workers()),
});

/** Ready while a worker serves, and every one that does is ready; who says nothing is not. */
async function readinessOfAll(workers: Workers): Promise<Readiness> {
  const replies = await workers.ask('readiness', PATIENCE_MS);
  const { wanted, serving } = workers.state;
  const every = (holds: (readiness: Readiness) => boolean) =>
    replies.length > 0 && replies.every(({ value }) => value !== undefined && holds(value));
  return {
    ready: every(({ ready }) => ready),
    postgres: every(({ postgres }) => postgres === 'up') ? 'up' : 'down',
    cache: every(({ cache }) => cache === 'trusted') ? 'trusted' : 'degraded',
    workers: { wanted, serving },
  };
}

/** Whether a worker serves, and every one that does answers. */
async function livenessOfAll(workers: Workers): Promise<boolean> {
  const replies = await workers.ask('liveness', PATIENCE_MS);
  return replies.length > 0 && replies.every(({ value }) => value === true);
}

/** The numbers of each worker under its name, and those of the first process. */
async function metricsOfAll(workers: Workers): Promise<string> {
  const replies = await workers.ask('samples', PATIENCE_MS);
  const { wanted, serving, deaths } = workers.state;
  const none = {};
  return metricsText([
    ...replies.flatMap(({ value }) => value ?? []),
    { family: 'espelho_workers', labels: { state: 'wanted' }, value: wanted },
    { family: 'espelho_workers', labels: { state: 'serving' }, value: serving },
    { family: 'espelho_worker_deaths_total', labels: none, value: deaths },
    ...processSamples('primary'),
  ]);
}
