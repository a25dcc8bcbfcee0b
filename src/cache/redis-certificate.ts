// Whether the certificates of servers are trusted, where the driver keeps to itself why it cannot reach them.
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { HostPort } from './redis-address.js';
import { refusalIn } from './redis-facts.js';

const DIAL_MS = 2_000;

/** Why we trust none of `hosts`, with what to change; undefined where one is trusted, or none answers. */
export async function untrusted(hosts: readonly HostPort[]): Promise<string | undefined> {
  const dialled = await Promise.all(hosts.map(dial));
  return dialled.includes(TRUSTED) ? undefined : dialled.map(refusalIn).find((refusal) => refusal !== undefined);
}

const TRUSTED = Symbol('trusted');

/** Resolves to {@link TRUSTED}, or to what went wrong. */
function dial({ host, port }: HostPort): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: DIAL_MS, ...(isIP(host) === 0 && { servername: host }) });
    const end = (outcome: unknown) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('secureConnect', () => end(TRUSTED));
    socket.once('timeout', () => end(undefined));
    socket.on('error', end);
  });
}
