import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, type Gateway, startGateway } from './gateway.js';

let gateway: Gateway;
const readiness = { ready: true, postgres: 'up' as 'up' | 'down', cache: 'trusted' as 'trusted' | 'degraded' };
const examples = [{ title: 'Hello </script><script>', document: 'query Hello { hello }', variables: '{}' }];
beforeAll(async () => {
  gateway = await startGateway({
    readiness: async () => readiness,
    inspect: async (view, key) => (view === 'menu' ? { view, key, state: 'FRESH' } : undefined),
    controlSecret: 'open sesame',
    graphiql: { examples },
  });
});
afterAll(() => gateway.close());

const fetchPath = (path: string, init: RequestInit = {}) => fetch(gateway.url + path, { redirect: 'manual', ...init });

describe('health', () => {
  it('is alive while the process runs', async () => {
    expect((await fetchPath('/livez')).status).toBe(200);
  });

  it('is ready', async () => {
    const response = await fetchPath('/readyz');
    expect(await answerOf(response)).toEqual({ status: 200, ready: true, postgres: 'up', cache: 'trusted' });
  });

  it('is ready without Redis, and says so', async () => {
    readiness.cache = 'degraded';
    expect(await answerOf(await fetchPath('/readyz'))).toMatchObject({ status: 200, cache: 'degraded' });
    readiness.cache = 'trusted';
  });

  it('is not ready without Postgres', async () => {
    Object.assign(readiness, { ready: false, postgres: 'down' });
    expect(await answerOf(await fetchPath('/readyz'))).toMatchObject({ status: 503, ready: false, postgres: 'down' });
    Object.assign(readiness, { ready: true, postgres: 'up' });
  });

  it('is not ready when the check fails or hangs', async () => {
    const failing = await startGateway({ readiness: () => Promise.reject(new Error('down')) });
    expect((await fetch(`${failing.url}/readyz`)).status).toBe(503);
    const hanging = await startGateway({ readiness: () => new Promise(() => {}) });
    expect((await fetch(`${hanging.url}/readyz`)).status).toBe(503);
    await Promise.all([failing.close(), hanging.close()]);
  });
});

describe('/inspect', () => {
  const inspect = (body: unknown, authorization = 'Bearer open sesame') =>
    fetchPath('/inspect', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('tells whoever has the secret what is known of an entry', async () => {
    const facts = await answerOf(await inspect({ view: 'menu', key: 'main:en' }));
    expect(facts).toEqual({ status: 200, view: 'menu', key: 'main:en', state: 'FRESH' });
  });

  it.each(['', 'Bearer', 'Bearer open', 'Bearer open sesame!', 'open sesame'])('is closed to %j', async (secret) => {
    expect((await inspect({ view: 'menu', key: 'main:en' }, secret)).status).toBe(401);
  });

  it('answers 404 for what it does not know and 400 for what it does not understand', async () => {
    expect((await inspect({ view: 'cat', key: 'x' })).status).toBe(404);
    expect((await inspect({ view: 'menu' })).status).toBe(400);
  });

  it('is no route where there is no secret', async () => {
    const closed = await startGateway({ inspect: async () => ({}) });
    expect((await fetch(`${closed.url}/inspect`, { method: 'POST' })).status).toBe(404);
    await closed.close();
  });
});

describe('GraphiQL', () => {
  const page = async () => (await fetchPath('/graphql', { headers: { accept: 'text/html,*/*;q=0.8' } })).text();

  it('is the page that a browser gets, with scripts of this server only', async () => {
    const html = await page();
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source);
    expect(sources).toHaveLength(4);
    expect(sources.filter((source) => !/^(\/graphiql\/|data:)/.test(source ?? ''))).toEqual([]);
    expect(html.length).toBeLessThan(20_000);
  });

  it('keeps what stands in an example out of its own markup', async () => {
    expect((await page()).match(/<script/g)).toHaveLength(3);
  });

  it('serves its files compressed, for good', async () => {
    const [, script = ''] = (await page()).match(/src="(\/graphiql\/graphiql[^"]+)"/) ?? [];
    const response = await fetchPath(script);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(Number(response.headers.get('content-length'))).toBeLessThan(2_000_000);
    expect((await response.text()).length).toBeGreaterThan(5_000_000);
  });

  it('forbids the page every other host', async () => {
    const { headers } = await fetchPath('/graphql', { headers: { accept: 'text/html' } });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
  });

  it('is not there unless wanted', async () => {
    const bare = await startGateway();
    const response = await fetch(`${bare.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(406);
    expect((await fetch(`${bare.url}/graphiql/start.js`)).status).toBe(404);
    await bare.close();
  });
});

it('leads from / to /graphql', async () => {
  const response = await fetchPath('/');
  expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql']);
});

it.each(['/graphql/', '/metricz', '//graphql', '/graphql%00'])('says where to go at %s', async (path) => {
  const { status, errors } = await answerOf(await fetchPath(path));
  expect(status).toBe(404);
  expect(errors?.[0]?.message).toMatch(/\.$/);
});

describe('extensions.cache', () => {
  it('tells what was read when asked by x-cache-trace: 1', async () => {
    const { extensions } = await gateway.query('{ hello }', { 'x-cache-trace': '1' });
    expect(extensions).toEqual({ cache: [{ view: 'menu', key: 'you', outcome: 'HIT' }] });
  });

  it('is left out otherwise', async () => {
    expect((await gateway.query('{ hello }')).extensions).toBeUndefined();
    expect((await gateway.query('{ hello }', { 'x-cache-trace': '0' })).extensions).toBeUndefined();
  });
});
