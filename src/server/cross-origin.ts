// Which pages may ask from a browser: our own, and those of listed origins. No answer ever allows credentials, so that a
// page can send only what it knows itself.

import { type Exchange, setCommonHeaders, setHeaders } from './exchange.js';
import { Refusal } from './refusal.js';

/** What lets a page of `origin` read an answer, names and values in turn. */
export function originHeaders(origin: string | undefined, origins: ReadonlySet<string>): readonly string[] {
  const vary = origins.size > 0 ? ['vary', 'origin'] : [];
  if (origin === undefined || !origins.has(origin)) return vary;
  return [...vary, 'access-control-allow-origin', origin, 'access-control-expose-headers', exposedHeaders];
}

/** What a page may read of our heads beside what every page may. */
const exposedHeaders = 'x-request-id, retry-after, etag';

/**
 * Answers a preflight, and marks the answer to a request of a listed origin. True when the exchange is over.
 * @throws {Refusal} when a page of another origin asks.
 */
export function crossOrigin(exchange: Exchange, origins: ReadonlySet<string>): boolean {
  const { method, request, response } = exchange;
  const { origin, host } = request.headers;
  setHeaders(response, originHeaders(origin, origins));
  if (origin === undefined) return false;
  if (!origins.has(origin)) {
    if ((method !== 'GET' && method !== 'POST') || isOwn(origin, host)) return false;
    const sentence = 'A page of another origin may not ask here; its origin can be listed in ESPELHO_ORIGINS.';
    throw new Refusal('FORBIDDEN', sentence);
  }
  if (method !== 'OPTIONS') return false;
  setCommonHeaders(exchange);
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', allowedHeaders);
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204).end();
  return true;
}

/** The last two are OFREP's, and the environment that it asks in. */
const allowedHeaders = 'content-type, authorization, x-cache-trace, if-none-match, x-api-key, x-environment';

// Whoever terminates TLS in front of us speaks plain HTTP to us: hosts are compared, not schemes.
function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase();
}
