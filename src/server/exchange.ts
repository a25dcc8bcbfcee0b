// One request and its answer: an id that the client and the log share, headers that every answer carries, one log line.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Logger, logFailure, logRequest } from './log.js';
import type { Seeking } from './overload.js';
import { Refusal, refusalOf } from './refusal.js';
import type { Tally } from './tally.js';

export interface Exchange extends Seeking {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly search: string;
  readonly logger: Logger;
  /** Whole, where it is short; undefined as long as it was not read. */
  body: Buffer | undefined;
  /** The name of the GraphQL operation, once it is known. */
  operation: string | undefined;
  /** What the operation is, once it is known. */
  operationType: 'query' | 'mutation' | 'subscription' | undefined;
  /** The code of the first error, where there is one. */
  code: string | undefined;
}

/** Begins the answer to `request`; it is counted, and its log line written, when the connection is done with it. */
export function beginExchange(
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
  tally?: Tally,
): Exchange {
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
    isVouchedFor: false,
    isAdmitted: false,
    body: undefined,
    operation: undefined,
    operationType: undefined,
    code: undefined,
  };
  if (exchange.path !== '/graphql') setCommonHeaders(exchange); // there an answer may be ready with its head
  response.on('close', () => {
    const ms = Math.round((performance.now() - startedMs) * 100) / 100;
    const status = response.headersSent ? response.statusCode : 499; // the client left first, in nginx's words
    const path = knownPath(exchange.path);
    const { id: requestId, operation, code } = exchange;
    tally?.count(path, exchange.operationType, status, code);
    logRequest(logger, { requestId, method, path, status, ms, operation, code });
  });
  return exchange;
}

/** What every answer carries beside the id of its request, names and values in turn. */
export const commonHeaders: readonly string[] = [
  ...['x-content-type-options', 'nosniff'],
  ...['referrer-policy', 'no-referrer'],
  ...['cache-control', 'no-store'],
];

/** Puts on the answer what every answer carries. */
export function setCommonHeaders({ id, response }: Exchange): void {
  response.setHeader('x-request-id', id);
  setHeaders(response, commonHeaders);
}

/** Puts on the answer names and values that come in turn. */
export function setHeaders(response: ServerResponse, headers: readonly string[]): void {
  for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
}

/** Ends with a short text: written now, it goes out in one piece with the head; at the end, in two, which costs more. */
export function endWith(response: ServerResponse, text: string, encoding: BufferEncoding = 'utf8'): void {
  response.write(text, encoding);
  response.uncork();
  response.end();
}

/** Answers with `body` as JSON. */
export function sendJson({ response }: Exchange, status: number, body: object): void {
  const text = JSON.stringify(body);
  const type = 'application/json; charset=utf-8';
  // With its length told, it goes out in one piece.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
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
  setCommonHeaders(exchange);
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

/** As it is counted and logged: a path that is not ours may hold anything, and so may what callers put into ours. */
export function knownPath(path: string): string {
  if (path === '/graphql' || /^\/(graphql|livez|readyz|metrics|inspect|warm|verify|introspect)?$/.test(path))
    return path;
  if (path.startsWith('/graphiql/')) return '/graphiql/{file}';
  const [isFlags, key] = /^(?:\/environments\/[^/]+)?\/ofrep\/v1\/evaluate\/flags(\/.*)?$/s.exec(path) ?? [];
  if (isFlags !== undefined) return key === undefined ? flagsPath : `${flagsPath}/{key}`;
  return 'unknown';
}

const flagsPath = '/ofrep/v1/evaluate/flags';
