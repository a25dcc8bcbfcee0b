// /graphql for programs: the checks of a request in their order, cheapest first, then its run and its answer.

import { acceptedTypes } from './accept.js';
import { sendEvents } from './event-stream.js';
import { type Exchange, onlyMethods } from './exchange.js';
import type { Engine } from './graphql.js';
import { postedParams, urlParams } from './params.js';
import { sendResponse } from './send-response.js';

/** What identifies a caller. */
export interface Arrival {
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** False where the request came by GET, and so may stand in logs and histories. */
  readonly posted: boolean;
}

export interface GraphQLRouteOptions<Caller extends object> {
  readonly engine: Engine<Caller>;
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  readonly maxBodyBytes: number;
  readonly heartbeatMs: number | undefined;
}

/** Answers one GraphQL request. @throws {Refusal} before it runs, when it cannot be served. */
export async function serveGraphQL<Caller extends object>(
  exchange: Exchange,
  { engine, contextOf, maxBodyBytes, heartbeatMs }: GraphQLRouteOptions<Caller>,
): Promise<void> {
  const { request, method, search } = exchange;
  onlyMethods(exchange, 'GET', 'POST');
  const accepted = acceptedTypes(request);
  const posted = method === 'POST';
  const caller = await contextOf({ authorization: request.headers.authorization, posted });
  const params = posted ? await postedParams(request, maxBodyBytes) : urlParams(search);
  const traced = request.headers['x-cache-trace'] === '1';
  const answer = await engine.run({ exchange, params, caller, accepted, traced });
  if (answer.kind === 'stream') await sendEvents(answer.results, exchange.response, heartbeatMs);
  else await sendResponse(answer.response, exchange.response);
}
