// Whose pages may ask from a browser, and what they get to see.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdge } from './edge-schema.js';
import { answerOf, type Gateway } from './gateway.js';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startEdge({ origins: new Set(['https://app.example.com']) });
});
afterAll(() => gateway.close());

const listed = { origin: 'https://app.example.com' };
const preflight = (origin: string) =>
  fetch(`${gateway.url}/graphql`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });
const allowed = ({ headers }: Response) =>
  [...headers]
    .filter(([name]) => name.startsWith('access-control'))
    .map(([name]) => name.replace('access-control-', ''));

describe('a page of a listed origin', () => {
  it('may ask, and reads the answer', async () => {
    const response = await gateway.post({ query: '{ hello }' }, listed);
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(response.headers.get('vary')).toContain('origin');
  });

  it('reads refusals too', async () => {
    const response = await gateway.post('{', listed);
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([400, listed.origin]);
  });

  it('may send JSON and a token, but never the credentials that a browser keeps', async () => {
    const response = await preflight(listed.origin);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(allowed(response)).not.toContain('allow-credentials');
  });
});

describe('a page of our own', () => {
  it('may ask', async () => {
    expect((await gateway.post({ query: '{ hello }' }, { origin: gateway.url })).status).toBe(200);
    const secure = gateway.url.replace('http:', 'https:'); // where a proxy terminates TLS
    expect((await gateway.post({ query: '{ hello }' }, { origin: secure })).status).toBe(200);
  });
});

describe('any other page', () => {
  it.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'null',
    'file://',
  ])('is refused: %s', async (origin) => {
    for (const response of [
      await gateway.post({ query: '{ hello }' }, { origin }),
      await gateway.get({ query: '{ hello }' }, { origin }),
    ]) {
      expect(allowed(response)).toEqual([]);
      expect(await answerOf(response)).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    }
    const asked = await preflight(origin);
    expect([asked.status, allowed(asked)]).toEqual([405, []]);
  });
});
