// Ends the server without cutting anybody off: no new connection, running requests finish within their grace, and
// connections that only wait are closed at once.

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Owed } from './owed.js';

export interface Drain {
  /** Whether the end has begun. */
  readonly closing: () => boolean;
  /** Resolves when no connection is left; after `graceMs` the last ones are cut. */
  readonly close: () => Promise<void>;
}

/** Watches the connections of `server`, which must not listen yet. */
export function drainOf(server: Server, owed: Owed, graceMs: number): Drain {
  const silent = new Set<Socket>(); // connected, but yet without a request: Node does not count them as idle
  let closed: Promise<void> | undefined;
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    silent.delete(socket);
    if (closed) endConnection(response);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const answers of owed.values()) answers.forEach(endConnection);
      for (const socket of silent) socket.destroy();
    });
  return {
    closing: () => closed !== undefined,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** Ends the connection of an answer with it. */
function endConnection(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
  else response.once('finish', () => response.req.socket.end()); // it was told to stay
}
