// Where each request goes as it comes. Health, pages and what operators ask begin at once. What callers ask begins in its
// turn; while more is asked than can be answered, a query is turned away before anything else is done for it. Whatever may
// be a mutation is not: it goes before the queries that wait, so that a token can be revoked under any load.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.js';
import { checkFraming } from './framing.js';
import type { Places } from './overload.js';
import type { QuickRefusals } from './quick-refusal.js';
import type { Turns } from './turns.js';

export interface GateOptions {
  readonly open: (request: IncomingMessage, response: ServerResponse) => Exchange;
  readonly run: (exchange: Exchange) => void;
  readonly places: Places;
  readonly turns: Turns;
  readonly refusals: QuickRefusals;
  /** Longer bodies are not read before it is known who sends them. */
  readonly shortBytes: number;
  /** Whether a whole body can ask for a mutation. */
  readonly mayMutate: (body: Buffer) => boolean;
}

/** A query that waited for so long is turned away after all where too many wait. */
const tooLongMs = 1_000;

/** Receives every request of a server. */
export function gateOf({ open, run, places, turns, refusals, mayMutate, shortBytes }: GateOptions) {
  const runStill = (exchange: Exchange): boolean => {
    const isThere = !exchange.request.socket.destroyed;
    if (isThere) run(exchange); // else its log line is written without it
    return isThere;
  };
  const openWith = (request: IncomingMessage, response: ServerResponse, body?: Buffer) => {
    const exchange = open(request, response);
    exchange.body = body;
    return exchange;
  };
  const inTurn = (request: IncomingMessage, response: ServerResponse, body?: Buffer) => {
    const exchange = openWith(request, response, body);
    const cameMs = performance.now();
    turns.begin(() => {
      if (performance.now() - cameMs < tooLongMs) places.vouchFor(exchange);
      return runStill(exchange);
    });
  };
  const beforeQueries = (request: IncomingMessage, response: ServerResponse, body?: Buffer) => {
    const exchange = openWith(request, response, body);
    turns.beginUrgent(() => runStill(exchange));
  };
  /** A GraphQL request with a body, once what came together with the head can be read: in the next tick. */
  const posted = (request: IncomingMessage, response: ServerResponse) => {
    const whole = wholeBody(request);
    const body = whole && whole.length <= shortBytes ? whole : undefined;
    if (whole && !body) request.unshift(whole);
    if (!places.areFull()) {
      const isFirst = turns.waiting > 0 && whole && mayMutate(whole) && !places.areAllTaken(turns.urgent);
      if (isFirst) beforeQueries(request, response, body);
      else inTurn(request, response, body);
    } else if (!isPlain(request)) beforeQueries(request, response, body);
    else if (places.areAllTaken(turns.urgent) || (whole && !mayMutate(whole))) refusals.send(request, response);
    else beforeQueries(request, response, body);
  };
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '/', method } = request;
    const isGraphQL = /^\/graphql(?:\?|$)/.test(url);
    if (method === 'POST' && isGraphQL) process.nextTick(posted, request, response);
    else if (!callersAsk.test(url)) run(open(request, response));
    else if (!places.areFull()) inTurn(request, response);
    else if (!isPlain(request)) beforeQueries(request, response);
    else if (method !== 'OPTIONS' && !isGraphQL) refusals.send(request, response);
    else if (url.startsWith('/graphql?') && method === 'GET') refusals.send(request, response);
    else if (places.areAllTaken(turns.urgent)) refusals.send(request, response);
    else beforeQueries(request, response);
  };
}

/**
 * The body, if all of it came together with the head. Otherwise nothing is read: Node lets go by what is left of a body only if
 * nobody has begun to read it, and tells of an empty one only whoever listens by then.
 */
function wholeBody(request: IncomingMessage): Buffer | undefined {
  const { readableLength, headers } = request;
  if (readableLength === 0 || Number(headers['content-length']) !== readableLength) return undefined;
  const body: unknown = request.read();
  return body instanceof Buffer ? body : undefined;
}

/** A request whose end may be seen elsewhere by others is refused in its own words, and its connection closed. */
function isPlain(request: IncomingMessage): boolean {
  try {
    checkFraming(request);
    return true;
  } catch {
    return false;
  }
}

const callersAsk = /^\/(?:graphql(?:\?|$)|introspect(?:\?|$)|ofrep\/|environments\/)/;
