// The embedded Postgres server: loopback only, on a free port, behind a password, durable like a real one.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Binaries, programIn } from './binaries.js';
import { type Cluster, openCluster } from './cluster.js';
import { ServerFailed } from './errors.js';
import type { Place } from './home.js';
import { acceptsConnections, onFreePort } from './port.js';
import { supervise } from './supervise.js';

export type PostgresServer = {
  readonly url: string;
  readonly data: string;
  /** Ends it after its transactions are rolled back and its files are whole. */
  readonly stop: () => Promise<void>;
};

const readyMs = 60_000; // a server that was killed may have minutes of work to replay; most are ready in 0.3 s
const orphansMs = 10_000;

/**
 * Starts Postgres on the data of this place and resolves once it accepts connections.
 * @throws {ServerFailed} when it does not get ready.
 */
export async function startPostgres(place: Place, binaries: Binaries): Promise<PostgresServer> {
  const cluster = await openCluster(place, binaries);
  const startedMs = performance.now();
  for (;;) {
    try {
      return await onFreePort((port) => startOn(port, cluster, place, binaries));
    } catch (error) {
      // A server killed with -9 leaves backends behind, which notice and end by themselves a moment later.
      const orphans = error instanceof ServerFailed && error.lastLines.some((line) => /still in use/.test(line));
      if (!orphans || performance.now() - startedMs > orphansMs) throw error;
      await sleep(200);
    }
  }
}

async function startOn(port: number, cluster: Cluster, place: Place, binaries: Binaries): Promise<PostgresServer> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'shared_buffers=128MB',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_destination=stderr',
    'logging_collector=off',
  ];
  const server = supervise({
    program: programIn(binaries, 'postgres'),
    args: ['-D', cluster.data, ...settings.flatMap((setting) => ['-c', setting])],
    folder: cluster.data,
    user: place.user,
    stopSignal: 'INT', // "fast": ends sessions, then checkpoints
  });
  try {
    await server.says(/ready to accept connections/, readyMs);
    await acceptsConnections(port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: `postgres://espelho:${cluster.password}@127.0.0.1:${port}/espelho`,
    data: cluster.data,
    stop: server.stop,
  };
}
