// A port for operators apart from that of requests: health and numbers, for whoever the network lets in.

import { createServer } from 'node:http';
import { beginExchange, type Exchange, sendRefusal } from './exchange.js';
import { type Readiness, serveLiveness, serveReadiness } from './health.js';
import { listen, urlOf } from './listen.js';
import type { Logger } from './log.js';
import { serveMetrics } from './metrics.js';
import { Refusal } from './refusal.js';

export interface OperationsOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly liveness: () => Promise<boolean>;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: () => Promise<string>;
  readonly logger: Logger;
}

export interface Operations {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const limits = { maxHeaderSize: 16_384, headersTimeout: 5_000, requestTimeout: 5_000 };

/** Serves /livez, /readyz and /metrics. @throws {CannotListen} with the setting to change. */
export async function startOperations(options: OperationsOptions): Promise<Operations> {
  const { host, port, logger } = options;
  const server = createServer(limits, (request, response) => {
    const exchange = beginExchange(request, response, logger);
    route(exchange, options).catch((error) => sendRefusal(exchange, error));
  });
  const names = { host: 'ESPELHO_METRICS_HOST', port: 'ESPELHO_METRICS_PORT' };
  const found = await listen(server, { host, port, portIsExplicit: true, names });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: urlOf(host, found), close };
}

async function route(exchange: Exchange, { liveness, readiness, metrics }: OperationsOptions): Promise<void> {
  if (exchange.path === '/livez') return serveLiveness(exchange, liveness);
  if (exchange.path === '/readyz') return serveReadiness(exchange, readiness, false);
  if (exchange.path === '/metrics') return serveMetrics(exchange, metrics);
  throw new Refusal('NOT_FOUND', 'There is nothing here but /livez, /readyz and /metrics.');
}
