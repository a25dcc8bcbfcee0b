// Writes an answer to a Node response, in one piece.

import type { Answer } from './engine.js';
import type { Exchange } from './exchange.js';
import { type Keeping, keepAnswer, tagOf } from './http-cache.js';

/** Hands the answer over whole, unless the client knows that it has it already. */
export function sendResponse(
  { status, headers, body }: Answer & { readonly kind: 'whole' },
  exchange: Exchange,
  keeping: Keeping | undefined,
): void {
  const { response } = exchange;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (keeping && keepAnswer(exchange, tagOf(body), keeping)) return;
  response.statusCode = status; // the length of the body goes with the head only if that is not written yet
  response.end(body);
}
