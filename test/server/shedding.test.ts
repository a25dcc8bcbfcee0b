// What is turned away while there is more to do than can be done, and what never is.

import { describe, expect, it } from 'vitest';
import { mayMutate, Places } from '../../src/server/overload.js';
import { eventually } from '../support/eventually.js';
import { holdUp, startEdge } from './edge-schema.js';

const fill = (places: Places, count: number) => Array.from({ length: count }, () => places.enter());

describe('places', () => {
  it('are as many as there are, and are given back once', () => {
    const places = new Places(10, () => 0);
    const leaving = fill(places, 10);
    expect(() => places.enter()).toThrow('try again in a second');
    leaving[0]?.();
    leaving[0]?.();
    expect(places.taken).toBe(9);
    places.enter();
    expect(() => places.enter()).toThrow();
  });

  it('are kept for mutations, a fifth of them', () => {
    const places = new Places(10, () => 0);
    fill(places, 8);
    expect(() => places.admitQuery()).not.toThrow();
    fill(places, 1);
    expect(() => places.admitQuery()).toThrow('try again in a second');
  });

  it('are refused to queries the likelier the later the event loop runs, and to none while few are at work', () => {
    let [delayMs, dice] = [0, 0.5];
    const places = new Places(
      500,
      () => delayMs,
      () => dice,
    );
    const isShed = () => {
      try {
        places.admitQuery();
        return false;
      } catch {
        return true;
      }
    };
    fill(places, 31);
    delayMs = 1_000;
    expect(isShed()).toBe(false);
    fill(places, 10);
    expect(isShed()).toBe(true);
    delayMs = 40;
    dice = 0;
    expect(isShed()).toBe(false);
    delayMs = 80;
    dice = 0.49;
    expect(isShed()).toBe(true);
    dice = 0.51;
    expect(isShed()).toBe(false);
  });
});

it('a request that was let in as a query is not asked again', () => {
  let dice = 0.9;
  const places = new Places(
    500,
    () => 80,
    () => dice,
  );
  fill(places, 40);
  const request = {};
  places.admitQuery(request);
  dice = 0;
  expect(() => places.admitQuery(request)).not.toThrow();
  expect(() => places.admitQuery({})).toThrow('try again in a second');
});

it('only what may be a mutation is read before it is refused', () => {
  const body = (json: object) => Buffer.from(JSON.stringify(json));
  expect(mayMutate(body({ query: '{ hello }' }))).toBe(false);
  expect(mayMutate(body({ query: 'mutation { rename }' }))).toBe(true);
  expect(mayMutate(body({ documentId: '0' }))).toBe(true);
});

it('a gateway full of queries answers health and mutations, refuses queries with 503, and takes them again', async () => {
  const gateway = await startEdge({ limits: { inFlight: 10 } });
  const held = holdUp();
  const stuck = Array.from({ length: 8 }, () => gateway.post({ query: '{ stuck }' }));
  const ask = async (query: string) => {
    const response = await gateway.post({ query });
    return [response.status, response.headers.get('retry-after')];
  };
  await eventually(() => held.waiting() === 8);
  expect(await ask('{ hello }')).toEqual([503, '1']);
  expect(await ask('mutation { rename }')).toEqual([200, null]);
  expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  held.release();
  expect((await Promise.all(stuck)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect((await ask('{ hello }'))[0]).toBe(200);
  await gateway.close();
});
