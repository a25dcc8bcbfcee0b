// How much one caller may ask for over time: by gateways that share a store, by one whose store is out of reach, and at
// the edge.

import { describe, expect, it } from 'vitest';
import { type Draw, RateLimiter, type SharedAllowances } from '../../src/server/rate-limit.js';
import { eventually } from '../support/eventually.js';
import { startEdge } from './edge-schema.js';
import { answerOf, type Gateway } from './gateway.js';

const rate = { name: 'token', perSecond: 2, burst: 10 };

/** How many times `take` goes well before it is refused. */
function grantsOf(take: () => void): number {
  for (let taken = 0; taken < 1_000; taken++) {
    try {
      take();
    } catch {
      return taken;
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe('one gateway', () => {
  it('grants exactly the burst at once, then what comes back', () => {
    let nowMs = 0;
    const limiter = new RateLimiter(undefined, () => nowMs);
    const grants = () => grantsOf(() => limiter.take(rate, 'ana', 1));
    expect(grants()).toBe(10);
    nowMs += 499;
    expect(grants()).toBe(0);
    nowMs += 1;
    expect(grants()).toBe(1);
    nowMs += 3_600_000;
    expect(grants()).toBe(10);
  });

  it('says when to come again', () => {
    const limiter = new RateLimiter(undefined, () => 0);
    limiter.take(rate, 'ana', 10);
    const refused = () => limiter.take(rate, 'ana', 5);
    expect(refused).toThrow('Too much was asked at once (limit: token); try again in 3 s.');
    expect(refused).toThrow(expect.objectContaining({ status: 429, headers: { 'retry-after': '3' } }));
  });

  it('tells callers and rates apart', () => {
    const limiter = new RateLimiter(undefined, () => 0);
    expect(grantsOf(() => limiter.take(rate, 'ana', 1))).toBe(10);
    expect(grantsOf(() => limiter.take(rate, 'rui', 1))).toBe(10);
    expect(grantsOf(() => limiter.take({ ...rate, name: 'address' }, 'ana', 1))).toBe(10);
  });

  it('grants once, for a whole burst, what costs more than one', () => {
    const limiter = new RateLimiter(undefined, () => 0);
    expect(grantsOf(() => limiter.take(rate, 'ana', 500))).toBe(1);
  });
});

describe('gateways that share a store', () => {
  it('refuse together what one of them could grant', async () => {
    const shared = storeOf();
    const [a, b] = [new RateLimiter(shared.draw, () => 0), new RateLimiter(shared.draw, () => 0)];
    for (let time = 0; time < 7; time++) a.take(rate, 'ana', 1);
    await eventually(() => shared.drawn() === 7);
    b.take(rate, 'ana', 1);
    await eventually(() => shared.drawn() === 8);
    await eventually(() => grantsOf(() => b.take(rate, 'ana', 3)) === 0);
    expect(grantsOf(() => b.take(rate, 'ana', 1))).toBe(2);
  });

  it('tell what many requests took in one question', async () => {
    const shared = storeOf();
    const limiter = new RateLimiter(shared.draw, () => 0);
    for (let time = 0; time < 5; time++) limiter.take(rate, 'ana', 1);
    limiter.take(rate, 'rui', 1);
    await eventually(() => shared.drawn() === 6);
    expect(shared.questions.map((draws) => draws.map(({ cost }) => cost))).toEqual([[5, 1]]);
  });

  it('name nobody: keys are digests', async () => {
    const shared = storeOf();
    new RateLimiter(shared.draw, () => 0).take(rate, 'ana', 1);
    await eventually(() => shared.drawn() === 1);
    expect(shared.questions[0]?.[0]?.key).toMatch(/^[0-9a-f]{64}$/);
  });

  it('never grant more together than the burst where each asks first', async () => {
    const shared = storeOf();
    const limiters = Array.from({ length: 4 }, () => new RateLimiter(shared.draw, () => 0));
    const asked = Array.from({ length: 40 }, (_, at) => limiters[at % 4]?.takeSurely(rate, 'ana', 1));
    const settled = await Promise.allSettled(asked);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });
});

describe('a gateway whose store is out of reach', () => {
  it.each(['take', 'takeSurely'] as const)('grants a quarter of the rate by itself (%s)', async (way) => {
    let nowMs = 0;
    let questions = 0;
    const limiter = new RateLimiter(
      async () => {
        questions += 1;
        throw new Error('out of reach');
      },
      () => nowMs,
    );
    const wide = { ...rate, burst: 40, perSecond: 8 };
    await limiter[way](wide, 'ana', 1);
    await eventually(() => questions === 1);
    await new Promise(setImmediate);
    expect(grantsOf(() => limiter.take(wide, 'ana', 1))).toBe(10);
    nowMs += 500;
    expect(grantsOf(() => limiter.take(wide, 'ana', 1))).toBe(1);
  });
});

describe('at the edge', () => {
  const codesOf = async (gateway: Gateway, times: number, query: string, headers = {}) => {
    const statuses: number[] = [];
    for (let time = 0; time < times; time++) statuses.push((await gateway.post({ query }, headers)).status);
    return statuses;
  };

  it('a caller pays by token, else by address, and is told when to come again', async () => {
    const gateway = await startEdge({ rates: { token: 1, address: 1 } }); // one at once, and one more in a minute
    expect(await codesOf(gateway, 2, '{ hello }', { authorization: 'Bearer ana' })).toEqual([200, 429]);
    expect(await codesOf(gateway, 1, '{ hello }', { authorization: 'Bearer rui' })).toEqual([200]);
    expect(await codesOf(gateway, 2, '{ hello }')).toEqual([200, 429]);
    const refused = await gateway.post({ query: '{ hello }' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await answerOf(refused)).errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED' });
    const requestId = refused.headers.get('x-request-id');
    await eventually(() =>
      gateway.logged().some((line) => line.requestId === requestId && line.code === 'RATE_LIMITED'),
    );
    await gateway.close();
  });

  it('an operation pays by its cost', async () => {
    const gateway = await startEdge({ rates: { address: 600 } }); // 100 at once
    expect(await codesOf(gateway, 2, '{ items(first: 900) { name } }')).toEqual([200, 429]);
    await gateway.close();
  });

  it('fields with a rate of their own are held to it under any alias, in any fragment', async () => {
    const metered = new Map([['issue', 'issue' as const]]);
    const gateway = await startEdge({ rates: { issue: 2 }, metered }); // 2 at once
    expect(await codesOf(gateway, 1, 'mutation { a: issue ...B } fragment B on Mutation { b: issue }')).toEqual([200]);
    const refused = await answerOf(await gateway.post({ query: 'mutation { issue }' }));
    expect([refused.status, refused.errors?.[0]?.extensions?.code]).toEqual([429, 'RATE_LIMITED']);
    expect(await codesOf(gateway, 1, 'mutation { reveal }')).toEqual([200]);
    await gateway.close();
  });

  it('an address whose tokens are refused too often is refused before they are looked at; a good token is not', async () => {
    const gateway = await startEdge({ rates: { failures: 3 } }); // 3 at once
    const good = { authorization: 'Bearer ana' };
    const bad = { authorization: 'Bearer bad' };
    expect(await codesOf(gateway, 1, '{ hello }', bad)).toEqual([401]);
    expect(await codesOf(gateway, 1, '{ hello }', good)).toEqual([200]);
    expect(await codesOf(gateway, 3, '{ hello }', bad)).toEqual([401, 401, 429]);
    expect(await codesOf(gateway, 1, '{ hello }', { authorization: 'Bearer rui' })).toEqual([429]);
    expect(await codesOf(gateway, 1, '{ hello }', good)).toEqual([200]);
    expect(await codesOf(gateway, 1, '{ hello }')).toEqual([200]);
    await gateway.close();
  });
});

/** A store in memory that never refills. */
function storeOf() {
  const left = new Map<string, number>();
  const questions: (readonly Draw[])[] = [];
  let drawn = 0;
  const draw: SharedAllowances = async (draws) => {
    questions.push(draws);
    return draws.map(({ key, cost, burst, granted }) => {
      const before = left.get(key) ?? burst;
      const taken = granted || before >= cost;
      if (taken) {
        left.set(key, before - cost);
        drawn += cost;
      }
      return { taken, left: taken ? before - cost : before };
    });
  };
  return { draw, questions, drawn: () => drawn };
}
