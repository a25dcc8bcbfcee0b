// /graphql for programs: the checks of a request in their order, cheapest first, then its run and its answer.

import { acceptedTypes } from './accept.js';
import { requireJson } from './body.js';
import { late, lateness, within } from './deadline.js';
import { chosenDocument } from './document-choice.js';
import type { Door } from './door.js';
import { sendEvents } from './event-stream.js';
import { type Exchange, onlyMethods } from './exchange.js';
import type { Answer, Engine } from './graphql.js';
import type { Keeping } from './http-cache.js';
import type { Limits } from './limits.js';
import type { Places } from './overload.js';
import { postedParams, urlParams } from './params.js';
import { sendResponse } from './send-response.js';
import type { TrustedDocuments } from './trusted-documents.js';

export type { Arrival } from './arrival.js';

export interface GraphQLRouteOptions<Caller extends object> {
  readonly engine: Engine<Caller>;
  readonly door: Door<Caller>;
  readonly places: Places;
  readonly limits: Limits;
  readonly trusted: TrustedDocuments;
  /** Whether callers need a right of their own to run what is not trusted. */
  readonly trustedOnly: boolean;
  /** For how long what a caller has read may be kept outside. */
  readonly keepingOf: (caller: Caller) => Keeping;
  readonly heartbeatMs: number | undefined;
}

/** Answers one GraphQL request. @throws {Refusal} before it runs, when it cannot be served. */
export async function serveGraphQL<Caller extends object>(
  exchange: Exchange,
  options: GraphQLRouteOptions<Caller>,
): Promise<void> {
  const { request, response, method } = exchange;
  const { limits, places, heartbeatMs } = options;
  onlyMethods(exchange, 'GET', 'POST');
  const accepted = acceptedTypes(request, limits.accept);
  if (method === 'POST') requireJson(request, limits.writerBody);
  const leave = places.enter();
  response.once('close', leave);
  try {
    const { answer, keeping } = await run(exchange, accepted, options);
    if (answer.kind === 'whole') await sendResponse(answer.response, exchange, keeping);
    else {
      leave();
      await sendEvents(answer.results, response, heartbeatMs);
    }
  } finally {
    leave();
  }
}

interface Ran {
  readonly answer: Answer;
  /** Undefined where nobody may keep the answer. */
  readonly keeping: Keeping | undefined;
}

async function run<Caller extends object>(
  exchange: Exchange,
  accepted: ReturnType<typeof acceptedTypes>,
  { engine, door, limits, trusted, trustedOnly, keepingOf }: GraphQLRouteOptions<Caller>,
): Promise<Ran> {
  const { request, method, search } = exchange;
  const posted = method === 'POST';
  const startedMs = performance.now();
  const guest = await door.admit(exchange, { authorization: request.headers.authorization, posted });
  const leftMs = Math.max(1, limits.deadlineMs - (performance.now() - startedMs));
  const { writes, free } = guest;
  const asked = posted
    ? await postedParams(request, writes ? limits.writerBody : limits.body, limits)
    : urlParams(search);
  const { params, byHash } = chosenDocument(asked, { trusted, free: free || !trustedOnly });
  const traced = request.headers['x-cache-trace'] === '1';
  const running = engine.run({ exchange, params, guest, accepted, traced });
  const answer = await within(leftMs, running);
  if (answer === late) {
    running.then(abandon, () => {});
    throw lateness(exchange, limits.deadlineMs);
  }
  const keeps = !posted && byHash && !traced && answer.kind === 'whole' && answer.faultless;
  return { answer, keeping: keeps ? keepingOf(guest.caller) : undefined };
}

/** A stream that opened too late ends before it begins. */
function abandon(answer: Answer): void {
  if (answer.kind === 'stream') void answer.results[Symbol.asyncIterator]().return?.();
}
