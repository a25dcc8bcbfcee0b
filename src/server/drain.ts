// Ends the server without cutting anybody off: no new connection, running requests finish within their grace, and
// connections that only wait are closed at once.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Drain {
  /** Whether the end has begun. */
  readonly closing: () => boolean;
  /** Resolves when no connection is left; after `graceMs` the last ones are cut. */
  readonly close: () => Promise<void>;
}

/** Watches the connections of `server`, which must not listen yet. */
export function drainOf(server: Server, graceMs: number): Drain {
  const silent = new Set<Socket>(); // connected, but yet without a request: Node does not count them as idle
  const busy = new Set<{ endConnection: () => void }>();
  let closed: Promise<void> | undefined;
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request, response) => {
    silent.delete(request.socket);
    const endConnection = () => {
      if (!response.headersSent) response.setHeader('connection', 'close');
      else response.once('finish', () => request.socket.end()); // it was told to stay
    };
    const answer = { endConnection };
    busy.add(answer);
    response.once('close', () => busy.delete(answer));
    if (closed) endConnection();
  });
  const close = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const answer of busy) answer.endConnection();
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
