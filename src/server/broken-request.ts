// Answers what is no HTTP request at all, too slow, or too long in its headers: such bytes never become a request.

import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Lets `server` answer broken requests with a status and a sentence before it closes their connections. */
export function answerBrokenRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, code, message } = answers[error.code ?? ''] ?? malformed;
    const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json`;
    socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  });
}

const malformed = { status: 400, code: 'BAD_REQUEST', message: 'This is not an HTTP/1.1 request.' };

const answers: Readonly<Record<string, typeof malformed>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'LIMIT_EXCEEDED',
    message: 'The headers are too long; send less.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'LIMIT_EXCEEDED', message: 'The request took too long to arrive.' },
};
