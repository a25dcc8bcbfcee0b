// /verify, by which the command line has a gateway compare with SQL what only it holds.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerOf, type Gateway, startGateway } from './gateway.js';

let gateway: Gateway;
const asked: unknown[][] = [];

beforeAll(async () => {
  gateway = await startGateway({
    verify: async (...args) => {
      asked.push(args);
      return args[0] === 'menu' ? { keys: 1, same: 1, missing: 0, differences: [] } : undefined;
    },
    controlSecret: 'open sesame',
  });
});
afterAll(() => gateway.close());

const verify = (body: unknown, authorization = 'Bearer open sesame') =>
  fetch(`${gateway.url}/verify`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

it('compares a page of entries for whoever has the secret, and repairs only if asked to', async () => {
  const answer = await answerOf(await verify({ view: 'menu', keys: ['main:en'] }));
  expect(answer).toEqual({ status: 200, keys: 1, same: 1, missing: 0, differences: [] });
  await verify({ view: 'menu', keys: [], repair: true });
  expect(asked).toEqual([
    ['menu', ['main:en'], { repair: false }],
    ['menu', [], { repair: true }],
  ]);
});

it.each(['', 'Bearer open', 'open sesame'])('is closed to %j', async (secret) => {
  expect((await verify({ view: 'menu', keys: [] }, secret)).status).toBe(401);
});

it('answers 404 for a view that it does not have, and 405 to GET', async () => {
  expect((await verify({ view: 'cat', keys: [] })).status).toBe(404);
  expect((await fetch(`${gateway.url}/verify`)).status).toBe(405);
});

it.each([
  { view: 'menu' },
  { view: 'menu', keys: 'main:en' },
  { view: 'menu', keys: [7] },
  { view: 'menu', keys: Array.from({ length: 501 }, String) },
  { view: 'menu', keys: [], repair: 'yes' },
])('answers 400 for what it does not understand: %j', async (body) => {
  expect((await verify(body)).status).toBe(400);
});

it('is no route where there is no secret', async () => {
  const closed = await startGateway({ verify: async () => ({}) });
  expect((await fetch(`${closed.url}/verify`, { method: 'POST' })).status).toBe(404);
  await closed.close();
});
