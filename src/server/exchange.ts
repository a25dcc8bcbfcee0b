// One request and its answer: an id that the client and the log share, headers that every answer carries, one log line.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Logger, logFailure, logRequest } from './log.js';
import { Refusal, refusalOf } from './refusal.js';

export interface Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly search: string;
  readonly logger: Logger;
  /** The name of the GraphQL operation, once it is known. */
  operation: string | undefined;
  /** What the operation is, once it is known. */
  operationType: 'query' | 'mutation' | 'subscription' | undefined;
  /** The code of the first error, where there is one. */
  code: string | undefined;
}

/** Begins the answer to `request`; its log line is written when the connection is done with it. */
export function beginExchange(request: IncomingMessage, response: ServerResponse, logger: Logger): Exchange {
  const startedMs = performance.now();
  const { url = '/', method = 'GET' } = request;
  const mark = url.indexOf('?');
  const exchange: Exchange = {
    id: randomUUID(),
    request,
    response,
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    search: mark < 0 ? '' : url.slice(mark + 1),
    logger,
    operation: undefined,
    operationType: undefined,
    code: undefined,
  };
  response.setHeader('x-request-id', exchange.id);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  response.once('close', () => {
    const ms = Math.round((performance.now() - startedMs) * 100) / 100;
    const status = response.headersSent ? response.statusCode : 499; // the client left first, in nginx's words
    const path = knownPath(exchange);
    const { id: requestId, operation, code } = exchange;
    logRequest(logger, { requestId, method, path, status, ms, operation, code });
  });
  return exchange;
}

/** Answers with `body` as JSON. */
export function sendJson({ response }: Exchange, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

/** Answers with what `error` may tell a client: a refusal in its own words, anything else as INTERNAL. */
export function sendRefusal(exchange: Exchange, error: unknown): void {
  const { response } = exchange;
  const refusal = refusalOf(error);
  exchange.code = refusal?.code ?? 'INTERNAL';
  if (!refusal) logFailure(exchange.logger, exchange.id, error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(refusal?.headers ?? {})) response.setHeader(name, value);
  const errors = [refusal ? shownRefusal(refusal) : shownFailure(exchange.id)];
  sendJson(exchange, refusal?.status ?? 500, { errors });
}

/** How a failure of ours reads for the client whose request has `requestId`. */
export function shownFailure(requestId: string) {
  const message = 'Something went wrong on our side; the request id in the log tells more.';
  return { message, extensions: { code: 'INTERNAL', requestId } };
}

/** @throws {Refusal} unless the request uses one of `methods`. */
export function onlyMethods({ method, path }: Exchange, ...methods: readonly string[]): void {
  if (methods.includes(method)) return;
  const sentence = `${path} answers ${methods.join(' and ')} only.`;
  throw new Refusal('BAD_REQUEST', sentence, { status: 405, headers: { allow: methods.join(', ') } });
}

function shownRefusal({ message, code }: Refusal) {
  return { message, extensions: { code } };
}

// A path that is not ours may hold anything, so it is not written down.
function knownPath({ path }: Exchange): string {
  return /^\/(graphql|livez|readyz|inspect|warm|verify|introspect)?$/.test(path) || path.startsWith('/graphiql/')
    ? path
    : 'unknown';
}
