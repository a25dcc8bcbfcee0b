import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { gateSlow, startGateway } from './gateway.js';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function takenPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function connected(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  endings.push(() => socket.destroy());
  return socket;
}

describe('the port', () => {
  it('gives way to the next free one when nobody asked for it', async () => {
    const port = await takenPort();
    const gateway = await startGateway({ port, portIsExplicit: false });
    endings.push(gateway.close);
    expect(Number(new URL(gateway.url).port)).toBeGreaterThan(port);
  });

  it('is refused in a sentence when somebody asked for it', async () => {
    const port = await takenPort();
    await expect(startGateway({ port, portIsExplicit: true })).rejects.toThrow(
      `PORT ${port} is taken by another program; set PORT to another one, or to 0 for any free port.`,
    );
  });

  it('names the host that is none of ours', async () => {
    await expect(startGateway({ host: '192.0.2.1' })).rejects.toThrow('HOST 192.0.2.1 is not an address');
  });
});

describe('the end', () => {
  it('lets a running request finish, and takes no new one', async () => {
    const gateway = await startGateway();
    const gate = gateSlow();
    const answer = gateway.post({ query: '{ slow }' });
    await gate.entered;
    const closed = gateway.close();
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
    gate.open();
    const response = await answer;
    expect(await response.json()).toEqual({ data: { slow: 'done' } });
    expect(response.headers.get('connection')).toBe('close');
    await closed;
  });

  it('does not wait for connections that only wait', async () => {
    const gateway = await startGateway();
    const [idle, silent] = [await connected(gateway.url), await connected(gateway.url)];
    idle.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const startedMs = performance.now();
    await Promise.all([gateway.close(), once(idle, 'close'), once(silent, 'close')]);
    expect(performance.now() - startedMs).toBeLessThan(4_500); // connections that do not end are cut after 5 s
  });

  it('may be asked for twice', async () => {
    const gateway = await startGateway();
    await Promise.all([gateway.close(), gateway.close()]);
  });
});

it.each([
  ['what is no HTTP', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
  ['headers of 20 KB', `GET / HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431'],
])('answers %s with a status and a sentence', async (_, bytes, status) => {
  const gateway = await startGateway();
  endings.push(gateway.close);
  const socket = await connected(gateway.url);
  socket.write(bytes);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain(status);
  expect(String(answer)).toContain('"message":');
});
