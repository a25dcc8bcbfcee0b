// Writes a fetch Response to a Node response, in one piece.

import type { ServerResponse } from 'node:http';

/** Resolves once `answer` is handed over whole. */
export async function sendResponse(answer: Response, response: ServerResponse): Promise<void> {
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  response.writeHead(answer.status).end(await answer.text());
}
