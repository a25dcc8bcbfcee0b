// What an evaluation moves between the gateway and Redis: the fields that it needs, whatever else its environment holds.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const editor = { scopes: ['flags:read', 'flags:write'] };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const FLAGS = 2_000;

/** A wire to the run's Redis that counts what Redis answers. */
async function openCounter() {
  const target = new URL(inject('redisUrl'));
  const sockets = new Set<Socket>();
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket.setNoDelay(true));
      socket.on('error', () => peer.destroy()).on('close', () => peer.destroy());
    }
    near.pipe(far);
    far.on('data', (answer) => {
      bytes += answer.length;
    });
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const through = new URL(target);
  through.hostname = '127.0.0.1';
  through.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: through.href,
    bytes: () => bytes,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

let counter: Awaited<ReturnType<typeof openCounter>>;
let api: Api;
beforeAll(async () => {
  counter = await openCounter();
  api = await startApi({ redisUrl: counter.url });
  await api.ask('mutation { saveEnvironment(key: "large", public: true) { __typename } }', editor);
  await api.database.psql`INSERT INTO flags (environment, key, enabled, description, definition)
    SELECT 'large', 'flag-' || n, true, repeat('about this flag, ', 20), ${api.database.psql.json(onOff)}
    FROM generate_series(1, ${FLAGS}) AS n`;
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
});
afterAll(async () => {
  await api.close();
  counter.close();
});

it('evaluates one flag by moving one field from Redis, and all of them by moving the environment', async () => {
  const one = '{ evaluateFlag(environment: "large", key: "flag-1999") { value } }';
  const all = '{ evaluateFlags(environment: "large") { value } }';
  await eventually(async () => (await api.ask(all)).trace.every(({ outcome }) => outcome === 'HIT'));
  const moved = async (document: string) => {
    for (;;) {
      const before = counter.bytes();
      const { trace } = await api.ask(document);
      if (trace.every(({ outcome }) => outcome === 'HIT')) return counter.bytes() - before;
    }
  };
  // What the gateway asks Redis beside it comes to a few kilobytes; the environment, to more than a million.
  expect(await moved(all)).toBeGreaterThan(1_000_000);
  expect(await moved(one)).toBeLessThan(50_000);
});
