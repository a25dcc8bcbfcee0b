// Writes a fetch Response to a Node response, in one piece.

import type { Exchange } from './exchange.js';
import { type Keeping, keepAnswer } from './http-cache.js';

/** Resolves once `answer` is handed over whole, or the client knows that it has it already. */
export async function sendResponse(answer: Response, exchange: Exchange, keeping: Keeping | undefined): Promise<void> {
  const { response } = exchange;
  const body = await answer.text();
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (keeping && keepAnswer(exchange, body, keeping)) return;
  response.writeHead(answer.status).end(body);
}
