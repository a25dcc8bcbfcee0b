// /graphql for programs: the checks of a request in their order, cheapest first, then its run and its answer.

import { acceptedTypes } from './accept.js';
import { jsonIn, readBytes, readJson, requireJson } from './body.js';
import { late, lateness, within } from './deadline.js';
import { chosenDocument } from './document-choice.js';
import type { Guest } from './door.js';
import type { Answer, Engine } from './engine.js';
import { sendEvents } from './event-stream.js';
import { type Exchange, onlyMethods, setCommonHeaders } from './exchange.js';
import type { Keeping } from './http-cache.js';
import { mayMutate } from './may-mutate.js';
import { postedParams, urlParams } from './params.js';
import { sendResponse } from './send-response.js';
import { isShort, isTraced, keepForNext, type ShortWayOptions, takeShortWay } from './short-way.js';
import type { TrustedDocuments } from './trusted-documents.js';

export type { Arrival } from './arrival.js';

export interface GraphQLRouteOptions<Caller extends object> extends ShortWayOptions<Caller> {
  readonly engine: Engine<Caller>;
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
  let leave = places.enter();
  const outside: Outside = async (arriving) => {
    leave();
    const value = await arriving;
    leave = places.enter();
    return value;
  };
  let done: (() => void) | undefined;
  try {
    let body: Buffer | undefined;
    if (method === 'POST' && isShort(request, limits)) {
      leave();
      body = await readBytes(request, limits.body);
      leave = places.enter();
    }
    // Where there is room for both, it need not be known which it is.
    if (!places.areFull() || method === 'GET' || (body && !mayMutate(body))) places.admitQuery(exchange);
    const sought = await takeShortWay(exchange, accepted, body, options);
    if (sought === 'answered') return;
    response.once('close', () => leave());
    done = sought?.done;
    const { answer, keeping, guest } = await run(exchange, accepted, options, body, outside);
    if (answer.kind === 'whole') {
      sendResponse(answer, exchange, keeping);
      if (sought) keepForNext(exchange, sought, { answer, guest, keeping }, options.answers);
    } else {
      leave();
      done?.();
      setCommonHeaders(exchange);
      await sendEvents(answer.results, response, heartbeatMs);
    }
  } finally {
    leave();
    done?.();
  }
}

/** Waits for what is still to arrive, without a place: who is slow to send takes nobody's. */
type Outside = <Value>(arriving: Promise<Value>) => Promise<Value>;

interface Ran<Caller> {
  readonly guest: Guest<Caller>;
  readonly answer: Answer;
  /** Undefined where nobody may keep the answer. */
  readonly keeping: Keeping | undefined;
}

async function run<Caller extends object>(
  exchange: Exchange,
  accepted: ReturnType<typeof acceptedTypes>,
  { engine, door, limits, trusted, trustedOnly, keepingOf }: GraphQLRouteOptions<Caller>,
  body: Buffer | undefined,
  outside: Outside,
): Promise<Ran<Caller>> {
  const { request, method, search } = exchange;
  const posted = method === 'POST';
  const startedMs = performance.now();
  const guest = await door.admit(exchange, { authorization: request.headers.authorization, posted });
  const leftMs = Math.max(1, limits.deadlineMs - (performance.now() - startedMs));
  const { writes, free } = guest;
  const asked = posted
    ? postedParams(
        body ? jsonIn(body) : await outside(readJson(request, writes ? limits.writerBody : limits.body)),
        limits,
      )
    : urlParams(search);
  const { params, byHash } = chosenDocument(asked, { trusted, free: free || !trustedOnly });
  const traced = isTraced(request);
  const running = engine.run({ exchange, params, guest, accepted, traced });
  const answer = await within(leftMs, running);
  if (answer === late) {
    running.then(abandon, () => {});
    throw lateness(exchange, limits.deadlineMs);
  }
  const keeps = !posted && byHash && !traced && answer.kind === 'whole' && answer.faultless;
  return { guest, answer, keeping: keeps ? keepingOf(guest.caller) : undefined };
}

/** A stream that opened too late ends before it begins. */
function abandon(answer: Answer): void {
  if (answer.kind === 'stream') void answer.results[Symbol.asyncIterator]().return?.();
}
