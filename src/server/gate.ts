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
  /** Whether a whole body can ask for a mutation. */
  readonly mayMutate: (body: Buffer) => boolean;
}

/** A query that waited for so long is turned away after all where too many wait. */
const tooLongMs = 1_000;

/** Receives every request of a server. */
export function gateOf({ open, run, places, turns, refusals, mayMutate }: GateOptions) {
  const runStill = (exchange: Exchange): boolean => {
    const isThere = !exchange.request.socket.destroyed;
    if (isThere) run(exchange); // else its log line is written without it
    return isThere;
  };
  const inTurn = (request: IncomingMessage, response: ServerResponse) => {
    const exchange = open(request, response);
    const cameMs = performance.now();
    turns.begin(() => {
      if (performance.now() - cameMs < tooLongMs) places.vouchFor(exchange);
      return runStill(exchange);
    });
  };
  const beforeQueries = (request: IncomingMessage, response: ServerResponse) => {
    const exchange = open(request, response);
    turns.beginUrgent(() => runStill(exchange));
  };
  const unlessQuery = (request: IncomingMessage, response: ServerResponse) => {
    const body = request.read();
    if (isWhole(request, body) && !mayMutate(body)) return refusals.send(request, response);
    if (body !== null) request.unshift(body);
    beforeQueries(request, response);
  };
  const mutationsFirst = (request: IncomingMessage, response: ServerResponse) => {
    const body = request.read();
    if (body !== null) request.unshift(body);
    if (isWhole(request, body) && mayMutate(body) && !places.areAllTaken(turns.urgent))
      beforeQueries(request, response);
    else inTurn(request, response);
  };
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '/', method } = request;
    const isPost = method === 'POST';
    const isGraphQL = /^\/graphql(?:\?|$)/.test(url);
    // What came together with the head can be read in the next tick.
    if (!callersAsk.test(url)) run(open(request, response));
    else if (!places.areFull() && isGraphQL && isPost && turns.waiting > 0) {
      process.nextTick(mutationsFirst, request, response);
    } else if (!places.areFull()) inTurn(request, response);
    else if (!isPlain(request)) beforeQueries(request, response);
    else if (method !== 'OPTIONS' && !isGraphQL) refusals.send(request, response);
    else if (url.startsWith('/graphql?') && method === 'GET') refusals.send(request, response);
    else if (places.areAllTaken(turns.urgent)) refusals.send(request, response);
    else if (isPost) process.nextTick(unlessQuery, request, response);
    else beforeQueries(request, response);
  };
}

/** Whether all of the body came together with the head. */
const isWhole = (request: IncomingMessage, body: unknown): body is Buffer =>
  body instanceof Buffer && Number(request.headers['content-length']) === body.length;

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
