// The short way of a query: an answer that was given before and stands is sent as it is. Everything that the ordinary way
// asks of a request before it runs is asked here too; whatever is not certain goes the ordinary way.

import type { IncomingMessage } from 'node:http';
import type { MediaType } from './accept.js';
import type { Answers, Place } from './answers.js';
import type { Door, Guest } from './door.js';
import type { Answer } from './engine.js';
import { commonHeaders, type Exchange, endWith, setCommonHeaders } from './exchange.js';
import { type Keeping, keepAnswer, tagOf } from './http-cache.js';
import type { KeptAnswer } from './kept-answer.js';
import type { Limits } from './limits.js';
import type { Places } from './overload.js';

export interface ShortWayOptions<Caller> {
  readonly answers: Answers<Caller> | undefined;
  readonly door: Door<Caller>;
  readonly places: Places;
  readonly limits: Limits;
}

/** What comes of an answer that is kept; one of them is called, once. */
export interface Outcomes {
  readonly given: () => void;
  /** It is to be made anew; `done` is to be called once that is over, whatever came of it. */
  readonly outdated: (done: () => void) => void;
  /** A refusal where the request may not be answered now. */
  readonly failed: (error: unknown) => void;
}

/** Where the answer to the request is kept, or will be; undefined where it is not to be looked for. */
export function placeOf<Caller>(
  { request, method, search, body }: Exchange,
  accepted: readonly MediaType[],
  answers: Answers<Caller> | undefined,
): Place | undefined {
  const bytes = method === 'POST' ? body : Buffer.from(search);
  if (!answers || !bytes || isTraced(request)) return undefined;
  const { authorization } = request.headers;
  return answers.placeOf({ method, accepted, authorization, bytes });
}

/** Gives the answer that is `kept` in this place, if it stands. Without a promise: most requests end here. */
export function takeShortWay<Caller>(
  exchange: Exchange,
  answers: Answers<Caller>,
  { place, kept }: { readonly place: Place; readonly kept: KeptAnswer },
  options: ShortWayOptions<Caller>,
  { given, outdated, failed }: Outcomes,
): void {
  const give = (answer: KeptAnswer) => {
    try {
      const charged = answerAgain(exchange, answer, options);
      if (charged) charged.then(given, failed);
      else given();
    } catch (error) {
      failed(error);
    }
  };
  answers.ask(kept, (stands) => {
    if (stands) {
      give(kept);
      return;
    }
    const found = answers.anew(place, kept);
    found.then((answer) => (typeof answer === 'function' ? outdated(answer) : give(answer))).catch(failed);
  });
}

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
  place: Place,
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
  if (typeof body === 'string')
    endWith(response, body, 'latin1'); // each character is a byte
  else response.end(body);
}
