// The composition root: from an environment to a gateway that serves, in one process or several, and from a signal to a
// machine without a trace of it but its data.

import { type Config, readConfig } from './config.js';
import type { Opened } from './main/primary.js';
import { openServing } from './main/serving.js';
import { linesOf, openSite } from './main/site.js';
import { type Closer, closeAll, endAtDefects, stopper } from './main/stopping.js';
import { views } from './resolvers/index.js';
import { makeLogger, metricsText, startOperations } from './server/index.js';

const tell = (...words: unknown[]): void => console.error(...words);

/**
 * Serves until SIGINT or SIGTERM, then ends every process that it started.
 * @throws ConfigError with every fault at once, or what kept a server from starting; nothing runs on then.
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = configOf(env);
  const closers: Closer[] = [];
  const stop = stopper(closers, tell);
  process.on('SIGINT', () => stop()).on('SIGTERM', () => stop());
  endAtDefects(tell);
  try {
    const { url, lines } =
      config.machine.workers > 1 ? await openSeveral(config, closers, stop) : await openAlone(config, closers);
    console.log(
      [`Espelho is ready at ${url}/graphql`, ...lines.map((line) => `  ${line}`), 'Stop it with Ctrl-C.'].join('\n'),
    );
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** What a worker runs, whom `serve` has started with others. @throws what kept it from serving. */
export async function work(env: NodeJS.ProcessEnv): Promise<void> {
  const worker = await import('./main/worker.js');
  await worker.work(configOf(env), tell);
}

function configOf(env: NodeJS.ProcessEnv): Config {
  return readConfig(
    env,
    views.map(({ name }) => name),
  );
}

async function openAlone(config: Config, closers: Closer[]): Promise<Opened> {
  const logger = makeLogger({ level: config.logLevel });
  const { site, embedded } = await openSite(config, closers);
  const { http, demo, machine } = config;
  const serving = await openServing({ config, site, http, demo, logger, name: '1' }, closers);
  const { server, gateway, samples, lines } = serving;
  await embedded?.announce(server.url, site.controlSecret);
  const told = linesOf(config, embedded, gateway.storeName);
  if (machine.metrics) {
    const { readiness } = gateway;
    const metrics = async () => metricsText(samples());
    const own = await startOperations({
      ...machine.metrics,
      liveness: async () => true,
      readiness,
      metrics,
      logger,
    });
    closers.unshift(own.close);
    told.push(`metrics: ${own.url}/metrics`);
  }
  return { url: server.url, lines: [...told, ...lines] };
}

async function openSeveral(config: Config, closers: Closer[], stop: (exitCode: number) => void): Promise<Opened> {
  const { openWorkers } = await import('./main/primary.js');
  return openWorkers(config, closers, (fault) => {
    tell(fault.message);
    stop(1);
  });
}
