// The answers that each connection is owed, in the order of its requests. They are kept by connection: one set of all that are
// under way, which gains and loses one with each request, keeps them from the collector of young objects.

import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** By connection that is open; none where it has not asked yet. */
export type Owed = ReadonlyMap<Duplex, readonly ServerResponse[]>;

/** Watches the connections of `server`, which must not listen yet. */
export function owedBy(server: Server): Owed {
  const owed = new Map<Duplex, ServerResponse[]>();
  server.on('connection', (socket) => {
    owed.set(socket, []);
    socket.once('close', () => owed.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    owed.get(socket)?.push(response);
    response.on('close', settle);
  });
  function settle(this: ServerResponse): void {
    const answers = owed.get(this.req.socket);
    const at = answers?.indexOf(this) ?? -1;
    if (at >= 0) answers?.splice(at, 1);
  }
  return owed;
}
