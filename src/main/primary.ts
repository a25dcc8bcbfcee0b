// The first of several processes: it opens what the machine has once, and starts, watches and ends the workers that serve.

import { createServer } from 'node:net';
import type { Config } from '../config.js';
import { migrate } from '../db/index.js';
import { makeLogger, startOperations } from '../server/index.js';
import { Pool, type WorkerFailed } from '../workers/index.js';
import type { Report, Task } from './roles.js';
import { linesOf, openSite } from './site.js';
import type { Closer } from './stopping.js';
import { type Workers, wholeOf } from './whole.js';

/** Workers finish running requests for 5 s, and then let go of their stores. */
const GRACE_MS = 15_000;

/** What serves, and where; the lines tell people what else there is to know. */
export interface Opened {
  readonly url: string;
  readonly lines: readonly string[];
}

/** Opens everything; `closers` take it down again. `onFault` hears that a worker cannot be kept alive. */
export async function openWorkers(
  config: Config,
  closers: Closer[],
  onFault: (fault: WorkerFailed) => void,
): Promise<Opened> {
  const logger = makeLogger({ level: config.logLevel, worker: 'primary' });
  const { site, embedded } = await openSite(config, closers);
  await migrate(site.databaseUrl, config.partitions);
  const { workers: count, metrics } = config.machine;
  const http = await startOfPorts(config.http);
  let first: Report | undefined;
  const whole = wholeOf(() => pool);
  const pool: Workers = new Pool({
    workers: count,
    args: ['worker'],
    taskOf: (place): Task => {
      const ours = first === undefined ? http : { ...http, port: first.port, portIsExplicit: true };
      return { place, site, http: ours, demo: config.demo && first === undefined };
    },
    onServing: (_, report) => {
      first ??= report;
    },
    answering: whole,
    onDeath: (place, how, pauseMs) => {
      logger.error({ died: place, how, pauseMs }, 'a worker died; another takes its place after a pause');
    },
    onFault,
  });
  closers.unshift(() => pool.stop(GRACE_MS));
  await pool.open();
  const { url = '', storeName = '', lines = [] } = first ?? {};
  await embedded?.announce(url, site.controlSecret);
  const told = [...linesOf(config, embedded, storeName), `workers: ${count}`];
  if (metrics) {
    const operations = await startOperations({ ...metrics, ...whole, logger });
    closers.unshift(operations.close);
    told.push(`metrics: ${operations.url}/metrics`);
  }
  return { url, lines: [...told, ...lines] };
}

/**
 * The port that workers try first. "Any free one" is settled here: workers that share a port have to name it, and one that
 * is started later must find it again.
 */
async function startOfPorts(http: Config['http']): Promise<Config['http']> {
  if (http.port !== 0) return http;
  return { host: http.host, port: await freePort(http.host), portIsExplicit: false };
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(0)); // the worker that listens there says what is wrong with it
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
