// /livez and /readyz, for whoever restarts the gateway or sends it traffic. A lost Redis is no reason to send the traffic
// elsewhere: reads come from Postgres then.

import { type Exchange, onlyMethods, sendJson } from './exchange.js';

export interface Readiness {
  readonly ready: boolean;
  readonly postgres: 'up' | 'down';
  readonly cache: 'trusted' | 'degraded';
}

const deadlineMs = 2_000; // below the usual patience of a probe, three seconds or more

/** Answers 200 as long as the process runs. */
export function serveLiveness(exchange: Exchange): void {
  onlyMethods(exchange, 'GET', 'HEAD');
  sendJson(exchange, 200, { live: true });
}

/** Answers 200 when the gateway can serve, else 503; a check that fails or hangs counts as Postgres lost. */
export async function serveReadiness(
  exchange: Exchange,
  readiness: () => Promise<Readiness>,
  closing: boolean,
): Promise<void> {
  onlyMethods(exchange, 'GET', 'HEAD');
  const { ready, postgres, cache } = await withinDeadline(readiness);
  const serving = ready && !closing;
  sendJson(exchange, serving ? 200 : 503, { ready: serving, postgres, cache });
}

const unknown: Readiness = { ready: false, postgres: 'down', cache: 'degraded' };

function withinDeadline(readiness: () => Promise<Readiness>): Promise<Readiness> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(unknown), deadlineMs);
    readiness()
      .catch(() => unknown)
      .then((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
  });
}
