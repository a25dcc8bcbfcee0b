// Results as server-sent events: no faster than the client reads, kept open by comments while there is nothing to tell,
// and over with for the source as soon as the client has gone, even before it was sent anything.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Below the patience of proxies, which cut a silent connection after a minute or half of one. */
const heartbeatMs = 12_000;
const patienceMs = 60_000; // for a client that takes nothing, and holds a place that others could have

const comment = ':\n\n';

/** Resolves once `results` have ended and are handed over, or the client has gone. */
export async function sendEvents(
  results: AsyncIterable<object>,
  response: ServerResponse,
  everyMs = heartbeatMs,
): Promise<void> {
  const iterator = results[Symbol.asyncIterator]();
  const leave = () => void iterator.return?.();
  response.once('close', leave);
  if (response.destroyed) return leave();
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no', // nginx would hold events back
  });
  response.write(comment); // some clients wait for the first byte
  const heart = setInterval(() => {
    if (!response.writableNeedDrain) response.write(comment);
  }, everyMs);
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (response.destroyed) return;
      if (done) break;
      response.write(`event: next\ndata: ${JSON.stringify(value)}\n\n`);
      if (response.writableNeedDrain) await drained(response);
    }
    response.end('event: complete\ndata:\n\n');
  } finally {
    clearInterval(heart);
    leave();
  }
}

/** Resolves when the client has taken what was written, or is gone; one that is too slow is cut off. */
async function drained(response: ServerResponse): Promise<void> {
  const cut = setTimeout(() => response.destroy(), patienceMs);
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => {});
  clearTimeout(cut);
  settled.abort();
}
