// What crosses the wire to Redis, as MONITOR shows it.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { inject } from 'vitest';
import type { Api } from '../support/api.js';

/** Bytes of all commands on one entry of `api`'s database while `act` runs; what scripts do counts too. */
export async function changedBytes(api: Api, entry: string, act: () => Promise<void>): Promise<number> {
  const monitor = await openConnection();
  const watching = says(monitor.lines, /^\+OK/);
  monitor.send('MONITOR');
  await watching;
  let bytes = 0;
  monitor.lines.on('line', (line) => {
    if (line.includes(`{${api.database.installation}.`) && line.includes(`${entry}"`)) bytes += line.length;
  });
  await act();
  const marker = await openConnection();
  const ended = says(monitor.lines, new RegExp(`"end-of-${api.database.installation}"`));
  marker.send(`ECHO end-of-${api.database.installation}`);
  await ended;
  marker.close();
  monitor.close();
  return bytes;
}

/** A bare connection: client libraries do not take MONITOR on a server that is busy. */
async function openConnection() {
  const { hostname, port, username, password } = new URL(inject('redisUrl'));
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const lines = createInterface(socket);
  const send = (command: string) => void socket.write(`${command}\r\n`);
  if (password) {
    const entered = says(lines, /^\+OK/);
    send(`AUTH ${username || 'default'} ${decodeURIComponent(password)}`);
    await entered;
  }
  return { lines, send, close: () => socket.destroy() };
}

function says(lines: Interface, what: RegExp): Promise<void> {
  return new Promise((resolve) => {
    const look = (line: string) => {
      if (!what.test(line)) return;
      lines.off('line', look);
      resolve();
    };
    lines.on('line', look);
  });
}
