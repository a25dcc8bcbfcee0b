// Senders who take their time: they keep nobody else from being served, and are let go of.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startEdge } from './edge-schema.js';
import type { Gateway } from './gateway.js';

let gateway: Gateway;
afterEach(() => gateway.close());

/** Sends `text` and nothing after it; resolves once it is sent. */
function sendSlowly(text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () =>
      socket.write(text, () => resolve(socket)),
    );
    socket.on('error', reject);
  });
}

const post = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

describe('who is slow to send', () => {
  it.each([
    ['a body of announced length', `${post}content-length: 20\r\n\r\n{"query":`],
    ['a body in pieces', `${post}transfer-encoding: chunked\r\n\r\n9\r\n{"query":\r\n`],
    ['headers', post],
  ])('%s, takes nobody’s place', async (_, text) => {
    gateway = await startEdge({ limits: { inFlight: 10 } });
    const senders = await Promise.all(Array.from({ length: 12 }, () => sendSlowly(text)));
    expect((await gateway.query('{ hello }')).status).toBe(200);
    expect((await gateway.query('mutation { rename }')).status).toBe(200);
    for (const sender of senders) sender.destroy();
  });

  it.each([
    ['headers', 'POST /graphql HTTP/1.1\r\nhost: x\r\n'],
    ['a body', `${post}content-length: 20\r\n\r\n{"query":`],
  ])('%s, is told so and cut off', async (_, text) => {
    gateway = await startEdge({ limits: { headersMs: 1_000, requestMs: 1_000 } });
    const sender = await sendSlowly(text);
    let told = '';
    sender.on('data', (chunk) => {
      told += chunk;
    });
    await once(sender, 'close');
    expect(told).toMatch(/^HTTP\/1.1 408 .*\r\n\r\n\{"errors":.*"code":/s);
  });
});
