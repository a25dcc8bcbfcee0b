// Writes an answer to a Node response, in one piece.

import type { Answer } from './engine.js';
import { commonHeaders, type Exchange, setCommonHeaders } from './exchange.js';
import { type Keeping, keepAnswer, tagOf } from './http-cache.js';

/** Hands the answer over whole, unless the client knows that it has it already. */
export function sendResponse(
  { status, headers, body }: Answer & { readonly kind: 'whole' },
  exchange: Exchange,
  keeping: Keeping | undefined,
): void {
  const { id, response } = exchange;
  if (keeping) {
    setCommonHeaders(exchange);
    for (const [name, value] of headers) response.setHeader(name, value);
    if (keepAnswer(exchange, tagOf(body), keeping)) return;
    response.statusCode = status; // the length of the body goes with the head only if that is not written yet
  } else {
    const head = ['x-request-id', id, ...commonHeaders];
    for (const [name, value] of headers) if (name !== 'content-length') head.push(name, value);
    head.push('content-length', String(Buffer.byteLength(body)));
    response.writeHead(status, head); // as a list, of which nothing is looked up
  }
  response.end(body);
}
