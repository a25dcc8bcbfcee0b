// /warm, by which the command line has a gateway fill what only it holds.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answerOf, type Gateway, startGateway } from './gateway.js';

let gateway: Gateway;
const asked: (string | undefined)[][] = [];

beforeAll(async () => {
  gateway = await startGateway({
    warm: async (view, after) => {
      asked.push([view, after]);
      return view === 'menu' ? { keys: 2, warmed: 2, last: null } : undefined;
    },
    controlSecret: 'open sesame',
  });
});
afterAll(() => gateway.close());

const warm = (body: unknown, authorization = 'Bearer open sesame') =>
  fetch(`${gateway.url}/warm`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

it('fills the next page for whoever has the secret', async () => {
  expect(await answerOf(await warm({ view: 'menu' }))).toEqual({ status: 200, keys: 2, warmed: 2, last: null });
  await warm({ view: 'menu', after: 'main:en' });
  expect(asked).toEqual([
    ['menu', undefined],
    ['menu', 'main:en'],
  ]);
});

it.each(['', 'Bearer open', 'open sesame'])('is closed to %j', async (secret) => {
  expect((await warm({ view: 'menu' }, secret)).status).toBe(401);
});

it('answers 404 for a view that it does not have, 400 for what it does not understand, and 405 to GET', async () => {
  expect((await warm({ view: 'cat' })).status).toBe(404);
  expect((await warm({ view: 'menu', after: 7 })).status).toBe(400);
  expect((await fetch(`${gateway.url}/warm`)).status).toBe(405);
});

it('is no route where there is no secret', async () => {
  const closed = await startGateway({ warm: async () => ({}) });
  expect((await fetch(`${closed.url}/warm`, { method: 'POST' })).status).toBe(404);
  await closed.close();
});
