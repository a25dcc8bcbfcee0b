import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { follow } from '../support/follow.js';
import { answerOf, floodedEvents, type Gateway, startGateway, watchEndless } from './gateway.js';

let gateway: Gateway;
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function started(overrides: Parameters<typeof startGateway>[0] = {}): Promise<Gateway> {
  gateway = await startGateway(overrides);
  endings.push(gateway.close);
  return gateway;
}

async function followed(field: string) {
  const stream = await follow(gateway.url, `subscription { ${field} }`);
  endings.push(stream.leave);
  return stream;
}

it('refuses a subscription that is not asked for as an event stream, before its source opens', async () => {
  await started();
  const { status, errors } = await answerOf(await gateway.post({ query: 'subscription { endless }' }));
  expect([status, errors?.[0]?.message]).toEqual([
    406,
    'A subscription is answered as an event stream; send "accept: text/event-stream".',
  ]);
});

it('answers a query as an event stream to who takes nothing else', async () => {
  await started();
  const response = await gateway.post({ query: '{ hello }' }, { accept: 'text/event-stream' });
  expect(await response.text()).toContain('data: {"data":{"hello":"Hello you"}}\n\nevent: complete');
});

it('answers what is no operation with 400 also to who takes event streams alone', async () => {
  await started();
  const response = await gateway.post({ query: 'subscription { nothing }' }, { accept: 'text/event-stream' });
  expect((await answerOf(response)).errors?.[0]?.extensions?.code).toBe('BAD_REQUEST');
  expect(response.status).toBe(400);
});

it('tells what keeps a source from going on as its last event, masked where it is ours', async () => {
  await started();
  const stream = await followed('failing');
  expect(await stream.next()).toEqual({ data: { failing: 1 } });
  const { errors } = await stream.next();
  expect(errors[0].extensions).toEqual({ code: 'INTERNAL', requestId: stream.headers.get('x-request-id') });
  expect(JSON.stringify(stream.results)).not.toContain('s3cret');
  expect(await stream.completed).toBe(true);
  expect(JSON.stringify(gateway.logged())).toContain('relation');
});

it('executes each event for the caller that it brings', async () => {
  await started({
    callerOfEvent: (event) => ({ name: JSON.stringify(event), trace: [{ view: 'menu', key: 'k', outcome: 'HIT' }] }),
  });
  const stream = await follow(gateway.url, 'subscription { ticks }', { headers: { 'x-cache-trace': '1' } });
  expect(await stream.next()).toEqual({
    data: { ticks: 1 },
    extensions: { cache: [{ view: 'menu', key: 'k', outcome: 'HIT' }] },
  });
});

it('sends comments while there is nothing to tell', async () => {
  await started({ heartbeatMs: 20 });
  const stream = await followed('endless');
  await eventually(() => stream.pings() >= 3);
});

it('asks a source for no more than its client takes', async () => {
  await started();
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  endings.push(() => socket.destroy());
  socket.pause();
  const query = encodeURIComponent('subscription { flood }');
  socket.write(`GET /graphql?query=${query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
  let before = -1;
  await eventually(async () => {
    const still = floodedEvents() > 0 && floodedEvents() === before;
    before = floodedEvents();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return still;
  });
  expect(floodedEvents()).toBeLessThan(200);
});

it.each([
  '{ hello }',
  'subscription { endless }',
  'subscription { ticks }',
])('survives clients that leave before they are answered %s', async (document) => {
  let arrived = 0;
  const contextOf = async () => {
    arrived++;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { name: 'slow', trace: [] };
  };
  await started({ contextOf });
  for (let at = 0; at < 10; at++) {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const path = `/graphql?query=${encodeURIComponent(document)}`;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    await eventually(() => arrived > at);
    if (at % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  await new Promise((resolve) => setTimeout(resolve, 60)); // the answers that nobody waits for
  expect((await gateway.query('{ hello }')).status).toBe(200);
});

it('takes 100 subscriptions, refuses the next with 503, and takes it once another has left', async () => {
  await started({ limits: { subscriptionsPerCaller: 100 } });
  const streams = await Promise.all(Array.from({ length: 100 }, () => followed('endless')));
  const refused = await gateway.post({ query: 'subscription { ticks }' }, { accept: 'text/event-stream' });
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await answerOf(refused)).errors?.[0]?.extensions?.code).toBe('UNAVAILABLE');
  expect(refused.status).toBe(503);
  expect((await gateway.query('{ hello }')).status).toBe(200);
  const left = watchEndless();
  streams[0]?.leave();
  await left;
  expect(await (await followed('ticks')).next()).toEqual({ data: { ticks: 1 } });
});

it('ends streams with a sentence when the server ends, and does not wait for their sources', async () => {
  await started();
  const streams = await Promise.all([followed('endless'), followed('endless')]);
  const startedMs = performance.now();
  await gateway.close();
  expect(performance.now() - startedMs).toBeLessThan(4_500); // connections that do not end are cut after 5 s
  for (const stream of streams) {
    expect((await stream.next()).errors).toMatchObject([
      { message: 'This gateway is stopping; subscribe again.', extensions: { code: 'UNAVAILABLE' } },
    ]);
    expect(await stream.completed).toBe(true);
  }
});
