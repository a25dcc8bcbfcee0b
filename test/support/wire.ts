// A wire to Postgres that tests cut: all of it, or one connection when the answer to a COMMIT is on its way back.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Wire {
  /** The database's address by way of the wire. */
  readonly url: string;
  /** The next COMMIT is done, but its connection ends instead of saying so. */
  readonly loseNextCommit: () => void;
  /** Ends every connection and takes no new one, until `mend`. */
  readonly cut: () => void;
  readonly mend: () => void;
  readonly close: () => Promise<void>;
}

/** Opens a wire to the database at `url`. */
export async function openWire(url: string): Promise<Wire> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let whole = true;
  let losing = false;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const end = () => {
      for (const socket of [near, far]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true).on('error', end).on('close', end);
    }
    if (!whole) end();
    near.on('data', (sent) => far.write(sent));
    far.on('data', (answer) => {
      if (losing && answer.includes('COMMIT\0')) {
        losing = false;
        end();
      } else near.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const through = new URL(url);
  through.port = String(typeof address === 'object' ? address?.port : '');
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href,
    loseNextCommit: () => {
      losing = true;
    },
    cut,
    mend: () => {
      whole = true;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
