// /graphql for programs: the checks of a request in their order, cheapest first, then its run and its answer.

import { acceptedTypes, type MediaType } from './accept.js';
import type { Place } from './answers.js';
import { jsonIn, readBytes, readJson, requireJson } from './body.js';
import { late, lateness, within } from './deadline.js';
import { chosenDocument } from './document-choice.js';
import type { Guest } from './door.js';
import type { Answer, Engine } from './engine.js';
import { sendEvents } from './event-stream.js';
import { type Exchange, onlyMethods, setCommonHeaders } from './exchange.js';
import type { Keeping } from './http-cache.js';
import { mayMutate } from './may-mutate.js';
import type { Places } from './overload.js';
import { postedParams, urlParams } from './params.js';
import { sendResponse } from './send-response.js';
import { isShort, isTraced, keepForNext, placeOf, type ShortWayOptions, takeShortWay } from './short-way.js';
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
  /** Answers what cannot be served. */
  readonly refuse: (exchange: Exchange, error: unknown) => void;
}

/** A request at work. */
interface Visit {
  readonly exchange: Exchange;
  readonly accepted: readonly MediaType[];
  /** Gives its place back. */
  leave: () => void;
}

/** Answers one GraphQL request, `refuse` where it cannot be served. @throws {Refusal} where that is known at once. */
export function serveGraphQL<Caller extends object>(exchange: Exchange, options: GraphQLRouteOptions<Caller>): void {
  const { request, method, body } = exchange;
  const { limits, places } = options;
  onlyMethods(exchange, 'GET', 'POST');
  const accepted = acceptedTypes(request, limits.accept);
  if (method === 'POST') requireJson(request, limits.writerBody);
  const leave = places.enter();
  if (method === 'GET' || body || !isShort(request, limits)) {
    begin({ exchange, accepted, leave }, options);
    return;
  }
  leave();
  readBytes(request, limits.body)
    .then((read) => {
      exchange.body = read;
      begin({ exchange, accepted, leave: places.enter() }, options);
    })
    .catch((error) => options.refuse(exchange, error));
}

/** Goes the short way where an answer is kept, else the ordinary way. */
function begin<Caller extends object>(visit: Visit, options: GraphQLRouteOptions<Caller>): void {
  const { exchange, accepted } = visit;
  const { places, answers, refuse } = options;
  const { method, body } = exchange;
  const failed = (error: unknown) => {
    visit.leave();
    refuse(exchange, error);
  };
  try {
    // Where there is room for both, it need not be known which it is.
    if (!places.areFull() || method === 'GET' || (body && !mayMutate(body))) places.admitQuery(exchange);
    const place = placeOf(exchange, accepted, answers);
    const kept = place && answers?.at(place);
    const ordinarily = (done?: () => void) => void serveOrdinarily(visit, options, place, done).catch(failed);
    if (answers && place && kept) {
      takeShortWay(exchange, answers, { place, kept }, options, { given: visit.leave, outdated: ordinarily, failed });
    } else ordinarily();
  } catch (error) {
    failed(error);
  }
}

/** Runs the request and keeps its answer in `place`; calls `done` once it is over. */
async function serveOrdinarily<Caller extends object>(
  visit: Visit,
  options: GraphQLRouteOptions<Caller>,
  place: Place | undefined,
  done: () => void = () => {},
): Promise<void> {
  const { exchange } = visit;
  const { response } = exchange;
  response.once('close', () => visit.leave());
  try {
    const { answer, keeping, guest } = await run(visit, options);
    if (answer.kind === 'whole') {
      sendResponse(answer, exchange, keeping);
      if (place) keepForNext(exchange, place, { answer, guest, keeping }, options.answers);
    } else {
      visit.leave();
      done();
      setCommonHeaders(exchange);
      await sendEvents(answer.results, response, options.heartbeatMs);
    }
  } finally {
    visit.leave();
    done();
  }
}

/** Waits for what is still to arrive, without a place: who is slow to send takes nobody's. */
async function outside<Value>(visit: Visit, places: Places, arriving: Promise<Value>): Promise<Value> {
  visit.leave();
  const value = await arriving;
  visit.leave = places.enter();
  return value;
}

interface Ran<Caller> {
  readonly guest: Guest<Caller>;
  readonly answer: Answer;
  /** Undefined where nobody may keep the answer. */
  readonly keeping: Keeping | undefined;
}

async function run<Caller extends object>(
  visit: Visit,
  { engine, door, limits, places, trusted, trustedOnly, keepingOf }: GraphQLRouteOptions<Caller>,
): Promise<Ran<Caller>> {
  const { exchange, accepted } = visit;
  const { request, method, search, body } = exchange;
  const posted = method === 'POST';
  const startedMs = performance.now();
  const guest = await door.admit(exchange, { authorization: request.headers.authorization, posted });
  const leftMs = Math.max(1, limits.deadlineMs - (performance.now() - startedMs));
  const { writes, free } = guest;
  const asked = posted
    ? postedParams(
        body ? jsonIn(body) : await outside(visit, places, readJson(request, writes ? limits.writerBody : limits.body)),
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
