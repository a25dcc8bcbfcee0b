// /livez and /readyz, for whoever restarts the gateway or sends it traffic. A lost Redis is no reason to send the traffic
// elsewhere: reads come from Postgres then.

import { type Exchange, onlyMethods, sendJson } from './exchange.js';

export interface Readiness {
  readonly ready: boolean;
  readonly postgres: 'up' | 'down';
  readonly cache: 'trusted' | 'degraded';
  /** Where several processes serve: how many there are to be, and how many do. */
  readonly workers?: { readonly wanted: number; readonly serving: number };
}

const deadlineMs = 2_000; // below the usual patience of a probe, three seconds or more

/** Answers 200 as long as the process runs, and, where there are several, the others do; else 503. */
export async function serveLiveness(exchange: Exchange, liveness?: () => Promise<boolean>): Promise<void> {
  onlyMethods(exchange, 'GET', 'HEAD');
  const live = liveness === undefined || (await withinDeadline(liveness, false));
  sendJson(exchange, live ? 200 : 503, { live });
}

/** Answers 200 when the gateway can serve, else 503; a check that fails or hangs counts as Postgres lost. */
export async function serveReadiness(
  exchange: Exchange,
  readiness: () => Promise<Readiness>,
  closing: boolean,
): Promise<void> {
  onlyMethods(exchange, 'GET', 'HEAD');
  const { ready, ...parts } = await withinDeadline(readiness, unknown);
  const serving = ready && !closing;
  sendJson(exchange, serving ? 200 : 503, { ready: serving, ...parts });
}

const unknown: Readiness = { ready: false, postgres: 'down', cache: 'degraded' };

function withinDeadline<Answer>(ask: () => Promise<Answer>, otherwise: Answer): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), deadlineMs);
    ask()
      .catch(() => otherwise)
      .then((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
  });
}
