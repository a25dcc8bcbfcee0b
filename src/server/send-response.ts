// Writes a fetch Response to a Node response: a plain answer in one piece, a stream as it comes, no faster than the
// client reads and no longer than it listens.

import type { ServerResponse } from 'node:http';
import { finished, Readable } from 'node:stream';

/** Resolves once `answer` is handed over whole, or the client has gone. */
export async function sendResponse(answer: Response, response: ServerResponse): Promise<void> {
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (!isStream(answer)) {
    const text = await answer.text();
    response.writeHead(answer.status).end(text);
    return;
  }
  response.writeHead(answer.status);
  response.flushHeaders();
  await pump(answer.body, response);
}

function isStream({ headers }: Response): boolean {
  return /^(text\/event-stream|multipart\/mixed)/.test(headers.get('content-type') ?? '');
}

function pump(body: Response['body'], response: ServerResponse): Promise<void> {
  const source = body === null ? Readable.from([]) : Readable.from(body);
  return new Promise((resolve) => {
    finished(response, () => {
      source.destroy(); // ends the subscription behind it
      resolve();
    });
    source.once('error', () => response.destroy());
    source.pipe(response);
  });
}
