// One of several processes that serve on one port: a gateway of its own, with its own id and lease, whose start, end and
// health are the business of the first process.

import type { Config } from '../config.js';
import { makeLogger } from '../server/index.js';
import { takeUp } from '../workers/index.js';
import type { OfWhole, OfWorker, Report, Task } from './roles.js';
import { openServing, type Serving } from './serving.js';
import { type Closer, closeAll, endAtDefects, stopper } from './stopping.js';

/** The first process asks the others in less. */
const PATIENCE_MS = 1_900;
/** After which what still holds up the end of a start that failed is left. */
const LEFTOVER_MS = 1_000;

/**
 * Serves until the first process says stop, or is gone.
 * @throws what kept it from serving, or when nobody has started it as a worker.
 */
export async function work(config: Config, tell: (...words: unknown[]) => void): Promise<void> {
  const closers: Closer[] = [];
  let serving: Serving | undefined;
  const started = () => {
    if (!serving) throw new Error('This worker does not serve yet.');
    return serving;
  };
  const taken = takeUp<Task, Report, OfWorker, OfWhole>(
    {
      readiness: async () => started().gateway.readiness(),
      liveness: async () => true,
      samples: async () => started().samples(),
    },
    stopper(closers, tell),
  );
  if (!taken) throw new Error('Workers are started by "espelho serve" with WORKERS set; set that.');
  // Ctrl-C reaches every process of a terminal; the first one passes it on.
  process.on('SIGINT', () => {}).on('SIGTERM', () => {});
  endAtDefects(tell);
  const { task, serving: report, ask } = await taken;
  const { place, site, http, demo } = task;
  try {
    serving = await openServing(
      {
        config,
        site,
        http,
        demo,
        name: String(place),
        logger: makeLogger({ level: config.logLevel, worker: place }),
        among: {
          readiness: async () => (await ask('readiness', PATIENCE_MS)) ?? silent,
          liveness: async () => (await ask('liveness', PATIENCE_MS)) ?? false,
          metrics: async () => (await ask('metrics', PATIENCE_MS)) ?? '',
        },
      },
      closers,
    );
  } catch (error) {
    await closeAll(closers);
    process.channel?.unref();
    setTimeout(() => process.exit(1), LEFTOVER_MS).unref();
    throw error;
  }
  const { server, gateway, lines } = serving;
  report({ url: server.url, port: server.port, storeName: gateway.storeName, lines });
}

/** The first process says nothing. */
const silent = { ready: false, postgres: 'down', cache: 'degraded' } as const;
