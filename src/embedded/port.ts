// Free ports on the loopback interface. A port can be taken between our look and the server's bind; then we try another.

import { connect, createServer } from 'node:net';
import { ServerFailed } from './errors.js';

const attempts = 5;

/** Calls `start` with a free port, and again with another one while a server finds its port taken. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === attempts || !(error instanceof ServerFailed)) throw error;
      if (!error.lastLines.some((line) => /address already in use/i.test(line))) throw error;
    }
  }
}

/** Resolves once 127.0.0.1:`port` accepts a connection; rejects when it refuses one. */
export function acceptsConnections(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
