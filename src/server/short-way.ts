// The short way of a query: an answer that was given before and stands is sent as it is. Everything that the ordinary way
// asks of a request before it runs is asked here too; whatever is not certain goes the ordinary way.

import type { IncomingMessage } from 'node:http';
import type { MediaType } from './accept.js';
import type { Answers, KeptAnswer, Place } from './answers.js';
import type { Door, Guest } from './door.js';
import type { Answer } from './engine.js';
import { commonHeaders, type Exchange, setCommonHeaders } from './exchange.js';
import { type Keeping, keepAnswer, tagOf } from './http-cache.js';
import type { Limits } from './limits.js';
import type { Places } from './overload.js';

export interface ShortWayOptions<Caller> {
  readonly answers: Answers<Caller> | undefined;
  readonly door: Door<Caller>;
  readonly places: Places;
  readonly limits: Limits;
}

/** An answer that was looked for, and where it belongs. */
export interface Sought {
  readonly place: Place;
  /** Called once the request is over, whatever came of it. */
  readonly done: () => void;
}

/**
 * Answers the request with this `body`, where it has one, if its answer stands. Otherwise resolves to where that belongs,
 * undefined where it was not looked for.
 * @throws {Refusal} when the request may not be answered now.
 */
export async function takeShortWay<Caller>(
  exchange: Exchange,
  accepted: readonly MediaType[],
  body: Buffer | undefined,
  options: ShortWayOptions<Caller>,
): Promise<Sought | 'answered' | undefined> {
  const { answers } = options;
  const { request, method, search } = exchange;
  const bytes = method === 'POST' ? body : Buffer.from(search);
  if (!answers || !bytes || isTraced(request)) return undefined;
  const { authorization } = request.headers;
  const place = answers.placeOf({ method, accepted, authorization, bytes });
  if (!answers.has(place)) return { place, done: nothing };
  const found = (await answers.standing(place)) ?? (await answers.anew(place));
  if (typeof found === 'function') return { place, done: found };
  const charged = answerAgain(exchange, found, options);
  if (charged) await charged;
  return 'answered';
}

const nothing = () => {};

/** What is known of a query that was executed. */
export interface Executed<Caller> {
  readonly answer: Answer & { readonly kind: 'whole' };
  readonly guest: Guest<Caller>;
  /** Undefined where nobody outside may keep the answer. */
  readonly keeping: Keeping | undefined;
}

/** Keeps the answer to a query that was executed without an error. */
export function keepForNext<Caller>(
  { operation, operationType }: Exchange,
  { place }: Sought,
  { answer, guest, keeping }: Executed<Caller>,
  answers: Answers<Caller> | undefined,
): void {
  const { weight, faultless, status, headers, body } = answer;
  if (!answers || operationType !== 'query' || !weight || !faultless || status !== 200) return;
  if (weight.rootFields.has('__schema') || weight.rootFields.has('__type')) return;
  if (keeping && !keeping.later) return;
  const { id, writes, free } = guest;
  answers.keep(place, guest.caller, {
    body,
    headers,
    outside: keeping?.later && { tag: tagOf(body), keeping: keeping.later },
    standing: { id, writes, free },
    weight,
    operation,
  });
}

/** Whether the client wants to know how its answer came about: then it is made anew. */
export const isTraced = ({ headers }: IncomingMessage): boolean => headers['x-cache-trace'] === '1';

/** Who is to be known before more of the body is read goes the ordinary way. */
export function isShort({ headers }: IncomingMessage, { body }: Limits): boolean {
  const length = headers['content-length'];
  return length !== undefined && Number(length) <= body;
}

/** At once, unless others have to be asked whether the caller may. */
function answerAgain<Caller>(
  exchange: Exchange,
  kept: KeptAnswer,
  { door, places }: ShortWayOptions<Caller>,
): Promise<void> | undefined {
  const { request, method } = exchange;
  const { standing, weight, operation } = kept;
  exchange.operation = operation;
  exchange.operationType = 'query';
  const arrival = { authorization: request.headers.authorization, posted: method === 'POST' };
  const counted = door.recognise(exchange, arrival, standing);
  places.admitQuery(exchange);
  const charged = door.charge(counted, weight.cost, weight.rootFields);
  if (charged) return charged.then(() => send(exchange, kept));
  send(exchange, kept);
  return undefined;
}

function send(exchange: Exchange, { body, head, outside, basis }: KeptAnswer): void {
  const { id, response } = exchange;
  basis.again();
  if (outside) {
    setCommonHeaders(exchange);
    if (keepAnswer(exchange, outside.tag, outside.keeping())) return;
  }
  response.writeHead(200, outside ? [...head] : ['x-request-id', id, ...commonHeaders, ...head]);
  response.end(body, 'latin1'); // of a string each character is a byte
}
