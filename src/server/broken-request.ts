// Answers what never becomes a request: bytes that are no HTTP, heads that are too long or too slow, expectations and tunnels
// that nobody serves. Requests that came before on the same connection get their own answers first, and no answer begins
// inside of another.

import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Owed } from './owed.js';

/** Lets `server` answer broken requests with a status and a sentence before it closes their connections. */
export function answerBrokenRequests(server: Server, owed: Owed): void {
  const refused = new WeakSet<Duplex>();
  const refuse = (socket: Duplex, refusal: BrokenRefusal) => {
    const all = owed.get(socket) ?? [];
    const isAnswering = all.some(({ headersSent }) => headersSent);
    if (isAnswering || !socket.writable) return void socket.destroy();
    const whole = all.findLast(({ req }) => req.complete);
    if (whole) whole.once('close', () => refuse(socket, refusal));
    else socket.end(bytesOf(refusal));
  };
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (refused.has(socket)) return; // whatever comes behind what is broken is broken too
    refused.add(socket);
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuse(socket, refusals[error.code ?? ''] ?? malformed);
  });
  server.on('connect', (_, socket) => refuse(socket, tunnel));
  server.on('checkExpectation', (_, response) => {
    response.writeHead(unexpected.status, { 'content-type': 'application/json', connection: 'close' });
    response.end(bodyOf(unexpected));
  });
}

interface BrokenRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const malformed: BrokenRefusal = { status: 400, code: 'BAD_REQUEST', message: 'This is not an HTTP/1.1 request.' };
const tunnel: BrokenRefusal = { status: 405, code: 'BAD_REQUEST', message: 'This is no proxy; ask for a path here.' };
const unexpected: BrokenRefusal = {
  status: 417,
  code: 'BAD_REQUEST',
  message: 'The header Expect may say 100-continue only.',
};

const refusals: Readonly<Record<string, BrokenRefusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'LIMIT_EXCEEDED',
    message: 'The headers are too long; send less.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'LIMIT_EXCEEDED', message: 'The request took too long to arrive.' },
};

const bodyOf = ({ message, code }: BrokenRefusal) => JSON.stringify({ errors: [{ message, extensions: { code } }] });

function bytesOf(refusal: BrokenRefusal): string {
  const body = bodyOf(refusal);
  const head = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nconnection: close\r\ncontent-type: application/json`;
  return `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
