// What is turned away while there is more to do than can be done, and what never is.

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { mayMutate, mayMutateAmong } from '../../src/server/may-mutate.js';
import { Places } from '../../src/server/overload.js';
import { eventually } from '../support/eventually.js';
import { holdUp, startEdge } from './edge-schema.js';

const fill = (places: Places, count: number) => Array.from({ length: count }, () => places.enter());
const never = () => false;

describe('places', () => {
  it('are as many as there are, and are given back once', () => {
    const places = new Places({ limit: 10, isLate: never });
    const leaving = fill(places, 10);
    expect(() => places.enter()).toThrow('try again in a second');
    leaving[0]?.();
    leaving[0]?.();
    expect(places.taken).toBe(9);
    places.enter();
    expect(() => places.enter()).toThrow();
  });

  it('are kept for mutations, a fifth of them', () => {
    const places = new Places({ limit: 10, isLate: never });
    fill(places, 7);
    expect([places.areFull(), places.areAllTaken(2), places.areAllTaken(3)]).toEqual([false, false, true]);
    fill(places, 1);
    expect(places.areFull()).toBe(true);
    expect(() => places.admitQuery()).not.toThrow();
    fill(places, 1);
    expect(() => places.admitQuery()).toThrow('try again in a second');
  });

  it('are crowded by a hundred, or by all that are not kept where those are fewer', () => {
    for (const [limit, most] of [
      [500, 100],
      [10, 8],
    ] as const) {
      const places = new Places({ limit, isLate: never });
      fill(places, most - 1);
      expect(places.areCrowded()).toBe(false);
      fill(places, 1);
      expect(places.areCrowded()).toBe(true);
    }
  });

  it('tell whenever one is given back and it is crowded no more', () => {
    let told = 0;
    const onRoom = () => {
      told++;
    };
    const places = new Places({ limit: 500, isLate: never, onRoom });
    const leaving = fill(places, 102);
    const tellings = leaving.slice(0, 4).map((leave) => {
      leave();
      leave();
      return told;
    });
    expect(tellings).toEqual([0, 0, 1, 2]);
  });

  it('are refused to queries that would begin too late', () => {
    let isLate = true;
    const places = new Places({ limit: 500, isLate: () => isLate });
    expect(places.areFull()).toBe(true);
    expect(() => places.admitQuery({})).toThrow('try again in a second');
    isLate = false;
    expect(places.areFull()).toBe(false);
    expect(() => places.admitQuery({})).not.toThrow();
  });

  it('are refused to queries while a hundred and more have been at work for a quarter of a second on average', () => {
    let nowMs = 0;
    const places = new Places({ limit: 500, isLate: never, nowMs: () => nowMs });
    const leaving = fill(places, 99);
    nowMs = 10_000;
    expect(places.areFull()).toBe(false);
    fill(places, 1);
    expect(places.areFull()).toBe(true);
    expect(() => places.admitQuery({})).toThrow('try again in a second');
    for (const leave of leaving) leave();
    fill(places, 99);
    nowMs = 10_250;
    expect(places.areFull()).toBe(false);
    nowMs = 10_251;
    expect(places.areFull()).toBe(true);
  });
});

it('a request that came in time is a query in time, and is not asked twice', () => {
  let isLate = false;
  const places = new Places({ limit: 500, isLate: () => isLate });
  const vouchedFor = {};
  const admitted = {};
  places.vouchFor(vouchedFor);
  places.admitQuery(admitted);
  isLate = true;
  for (const request of [vouchedFor, admitted]) expect(() => places.admitQuery(request)).not.toThrow();
  expect(() => places.admitQuery({})).toThrow('try again in a second');
});

it('only what may be a mutation is read before it is refused', () => {
  const body = (json: object) => Buffer.from(JSON.stringify(json));
  expect(mayMutate(body({ query: '{ hello }' }))).toBe(false);
  expect(mayMutate(body({ query: 'mutation { rename }' }))).toBe(true);
  expect(mayMutate(body({ documentId: '0' }))).toBe(true);
});

it('of trusted documents it is known which hold a mutation', () => {
  const [query, mutation, unknown] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
  const mutates = mayMutateAmong(
    new Map([
      [String(query), '{ hello }'],
      [String(mutation), 'mutation { rename }'],
    ]),
  );
  const body = (json: object) => Buffer.from(JSON.stringify(json));
  const persisted = (sha256Hash: unknown) => body({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
  expect(
    [body({ query: '{ hello }' }), body({ documentId: `sha256:${query}` }), persisted(query)].map(mutates),
  ).toEqual(Array(3).fill(false));
  const possible = [
    body({ query: 'mutation { rename }' }),
    body({ documentId: mutation }),
    persisted(unknown),
    body({ documentId: query, variables: { other: mutation } }),
    body({ documentId: 'none' }),
  ];
  expect(possible.map(mutates)).toEqual(Array(5).fill(true));
});

it('a mutation does not stand in the line of queries', async () => {
  const gateway = await startEdge();
  const held = holdUp();
  const stuck = Array.from({ length: 100 }, () => gateway.post({ query: '{ stuck }' }));
  await eventually(() => held.waiting() === 100);
  let answered = 0;
  const waiting = [1, 2].map(async () => {
    const { status } = await gateway.post({ query: '{ hello }' });
    answered++;
    return status;
  });
  expect((await gateway.post({ query: 'mutation { rename }' })).status).toBe(200);
  expect(answered).toBe(0);
  held.release();
  for (const { status } of await Promise.all(stuck)) expect(status).toBe(200);
  expect(await Promise.all(waiting)).toEqual([200, 200]);
  await gateway.close();
});

describe('a gateway full of queries', () => {
  const full = async (overrides: Parameters<typeof startEdge>[0] = {}) => {
    const gateway = await startEdge({ limits: { inFlight: 10 }, ...overrides });
    const held = holdUp();
    const stuck = Array.from({ length: 8 }, () => gateway.post({ query: '{ stuck }' }));
    await eventually(() => held.waiting() === 8);
    const empty = async () => {
      held.release();
      return (await Promise.all(stuck)).map(({ status }) => status);
    };
    return { ...gateway, empty };
  };
  const hello = { query: '{ hello }' };

  it('answers health and mutations, refuses queries with 503, and takes them again', async () => {
    const gateway = await full();
    const ask = async (query: string) => {
      const response = await gateway.post({ query });
      return [response.status, response.headers.get('retry-after')];
    };
    expect(await ask('{ hello }')).toEqual([503, '1']);
    expect(await ask('mutation { rename }')).toEqual([200, null]);
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect(await gateway.empty()).toEqual(Array(8).fill(200));
    expect((await ask('{ hello }'))[0]).toBe(200);
    await gateway.close();
  });

  it('refuses them in the same words however they came, with the headers of every answer', async () => {
    const gateway = await full();
    const refusals = [
      await gateway.post(hello),
      await gateway.get(hello),
      await gateway.post(hello, { authorization: 'Bearer bad' }),
      await gateway.post({ ...hello, variables: { filler: ' '.repeat(90_000) } }),
    ];
    for (const response of refusals) {
      expect(response.status).toBe(503);
      const { headers } = response;
      expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
      expect(['x-content-type-options', 'referrer-policy', 'cache-control'].map((name) => headers.get(name))).toEqual([
        'nosniff',
        'no-referrer',
        'no-store',
      ]);
      expect(await response.json()).toEqual({
        errors: [
          {
            message: 'This gateway has more to do than it can; try again in a second.',
            extensions: { code: 'OVERLOADED' },
          },
        ],
      });
    }
    await gateway.empty();
    await gateway.close();
  });

  it('refuses what asks for flags and tokens in the words of their protocols, before a body is read', async () => {
    const gateway = await full();
    const message = 'This gateway has more to do than it can; try again in a second.';
    const ask = async (path: string) => {
      const response = await fetch(`${gateway.url}${path}`, { method: 'POST', body: 'anything' });
      const { status, headers } = response;
      return { status, retryAfter: headers.get('retry-after'), json: await response.json() };
    };
    const refused = (json: object) => ({ status: 503, retryAfter: '1', json });
    const failure = refused({ errorCode: 'GENERAL', errorDetails: message });
    expect(await ask('/ofrep/v1/evaluate/flags')).toEqual(failure);
    expect(await ask('/environments/test/ofrep/v1/evaluate/flags/dark')).toEqual(failure);
    expect(await ask('/introspect')).toEqual(refused({ error: 'temporarily_unavailable', error_description: message }));
    await gateway.empty();
    await gateway.close();
    const told = gateway.logged().filter(({ msg }) => msg === 'refused');
    expect(told.map(({ path }) => path)).toEqual([
      '/ofrep/v1/evaluate/flags',
      '/ofrep/v1/evaluate/flags/{key}',
      '/introspect',
    ]);
  });

  it('tells all whom it refused in a line of the log', async () => {
    const gateway = await full();
    for (let time = 0; time < 3; time++) await gateway.post(hello);
    await gateway.empty();
    await gateway.close();
    const told = gateway.logged().filter(({ msg }) => msg === 'refused');
    expect(told.reduce((sum, { refused }) => sum + Number(refused), 0)).toBe(3);
    expect(told[0]).toMatchObject({ path: '/graphql', status: 503, code: 'OVERLOADED' });
  });

  it('lets a page of a listed origin read that it was refused', async () => {
    const gateway = await full({ origins: new Set(['https://app.example.com']) });
    const from = async (origin: string) =>
      (await gateway.post(hello, { origin })).headers.get('access-control-allow-origin');
    expect(await from('https://app.example.com')).toBe('https://app.example.com');
    expect(await from('https://other.example.com')).toBe(null);
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${gateway.url}/ofrep/v1/evaluate/flags`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    await gateway.empty();
    await gateway.close();
  });

  it('reads on, on the same connection, what comes behind a refusal', async () => {
    const gateway = await full();
    const asked = [hello, { query: 'mutation { rename }' }, hello].map((json) => {
      const body = JSON.stringify(json);
      return `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    });
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let answers = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      answers += chunk;
    });
    socket.write(asked.join(''));
    await eventually(() => answers.match(/HTTP\/1\.1 \d+/g)?.length === 3);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200', 'HTTP/1.1 503']);
    socket.destroy();
    await gateway.empty();
    await gateway.close();
  });
});
