// Bodies in the forms that they arrive in: empty, in pieces, after their head, too late to matter. Whatever comes of a
// request, the next one on its connection is answered.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { holdUp, startEdge } from './edge-schema.js';
import type { Gateway } from './gateway.js';

let gateway: Gateway;
let client: Client;
beforeEach(async () => {
  gateway = await startEdge();
  client = await Client.open(gateway.url);
});
afterEach(async () => {
  client.socket.destroy();
  await gateway.close();
});

/** A connection that requests are written to by hand. */
class Client {
  readonly socket: Socket;
  #received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received += chunk;
    });
  }

  static async open(url: string): Promise<Client> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket.setNoDelay());
  }

  async send(text: string): Promise<void> {
    await new Promise((sent) => this.socket.write(text, sent));
  }

  /** Resolves to all statuses so far, once there are so many. */
  async statuses(count: number): Promise<readonly string[]> {
    const told = () => [...this.#received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);
    await eventually(async () => told().length >= count);
    return told();
  }
}

const HELLO = '{"query":"{ hello }"}';
const head = (rest: string, type = 'application/json') =>
  `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\n${rest}\r\n\r\n`;
const hello = head(`content-length: ${HELLO.length}`) + HELLO;

describe('an empty body is refused, and the next request answered,', () => {
  const forms = [
    ['of announced length', head('content-length: 0')],
    ['in chunks', `${head('transfer-encoding: chunked')}0\r\n\r\n`],
  ] as const;

  it.each(forms)('%s', async (_, text) => {
    await client.send(text + hello);
    expect(await client.statuses(2)).toEqual(['400', '200']);
  });

  it.each(forms)('%s, in its turn', async (_, text) => {
    const held = holdUp();
    const stuck = Array.from({ length: 100 }, () => gateway.post({ query: '{ stuck }' }));
    await eventually(() => held.waiting() === 100);
    await client.send(text + hello);
    held.release();
    expect(await client.statuses(2)).toEqual(['400', '200']);
    await Promise.all(stuck);
  });
});

it('a body in one piece with its head, after it, in two, or in chunks is the same', async () => {
  const lengthOf = head(`content-length: ${HELLO.length}`);
  await client.send(hello);
  expect(await client.statuses(1)).toEqual(['200']);
  for (const part of [lengthOf, HELLO]) await client.send(part);
  expect(await client.statuses(2)).toEqual(['200', '200']);
  for (const part of [lengthOf + HELLO.slice(0, 5), HELLO.slice(5)]) await client.send(part);
  expect(await client.statuses(3)).toEqual(['200', '200', '200']);
  await client.send(`${head('transfer-encoding: chunked')}${HELLO.length.toString(16)}\r\n${HELLO}\r\n0\r\n\r\n`);
  expect(await client.statuses(4)).toEqual(['200', '200', '200', '200']);
});

it('several requests in one piece are answered in their order', async () => {
  await client.send(hello + head('content-length: 0') + hello);
  expect(await client.statuses(3)).toEqual(['200', '400', '200']);
});

it('of what is refused before its body has come, the body is let go by', async () => {
  const long = ' '.repeat(90_000);
  await client.send(head(`content-length: ${long.length}`, 'text/plain'));
  expect(await client.statuses(1)).toEqual(['415']);
  await client.send(long + hello);
  expect(await client.statuses(2)).toEqual(['415', '200']);
});
