// Finds the server a port: the one that was asked for, or, when nobody asked for it, the next free one.

import type { Server } from 'node:http';
import { CannotListen } from './errors.js';

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether somebody asked for this port: only a default may give way to the next free one. */
  readonly portIsExplicit: boolean;
  /** The settings to change when this port cannot be had. */
  readonly names?: { readonly host: string; readonly port: string };
}

const requestNames = { host: 'HOST', port: 'PORT' };

const moreTries = 20;
/** Connections that wait to be accepted; of more than these the system cuts some off. It has a bound of its own. */
const backlog = 4_096;

/** Resolves to the port that `server` listens on. @throws {CannotListen} when there is none. */
export async function listen(
  server: Server,
  { host, port, portIsExplicit, names = requestNames }: ListenOptions,
): Promise<number> {
  const last = portIsExplicit || port === 0 ? port : Math.min(port + moreTries, 65_535);
  for (let candidate = port; candidate <= last; candidate += 1) {
    const failure = await tryPort(server, host, candidate);
    if (failure === undefined) return portOf(server);
    if (failure.code !== 'EADDRINUSE')
      throw new CannotListen(whyNot(failure, host, candidate, names), { cause: failure });
  }
  throw new CannotListen(
    portIsExplicit
      ? `${names.port} ${port} is taken by another program; set ${names.port} to another one, or to 0 for any free port.`
      : `Ports ${port} to ${last} are all taken; set ${names.port} to a free one, or to 0 for any.`,
  );
}

/** What to put into a browser; a server that listens everywhere is at home on the loopback interface. */
export function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function tryPort(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening);
      resolve(error);
    };
    const listening = () => {
      server.off('error', failed);
      resolve(undefined);
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen({ host, port, backlog });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new CannotListen('The server listens on no port.');
  return address.port;
}

function whyNot(
  { code, message }: NodeJS.ErrnoException,
  host: string,
  port: number,
  names: typeof requestNames,
): string {
  if (code === 'EACCES')
    return `This user may not listen on ${names.port} ${port}; set ${names.port} to one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EINVAL') {
    return `${names.host} ${host} is not an address of this machine; set ${names.host} to 127.0.0.1, or to 0.0.0.0 to listen everywhere.`;
  }
  return `Cannot listen on ${names.host} ${host}, ${names.port} ${port}: ${message}.`;
}
