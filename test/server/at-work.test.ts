// What stands before /introspect and the flags of OFREP is what stands before a query: places, deadline, rates, origins.

import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startEdge } from './edge-schema.js';
import type { Gateway } from './gateway.js';

let gateway: Gateway;
afterEach(() => gateway.close());

const FLAG = '/ofrep/v1/evaluate/flags/one';
const ALL = '/ofrep/v1/evaluate/flags';

/** How many ask for something that waits until `release`. */
let waiting = 0;
let release = () => {};

/** The edge with both routes; `held` lets them wait. */
async function start(options: Parameters<typeof startEdge>[0] = {}, held = false): Promise<void> {
  waiting = 0;
  const gate = held
    ? new Promise<void>((resolve) => {
        release = resolve;
      })
    : Promise.resolve();
  const wait = async () => {
    waiting++;
    await gate;
  };
  const evaluation = {
    value: true,
    variant: null,
    reason: 'STATIC',
    errorCode: null,
    errorMessage: null,
    metadata: {},
  };
  gateway = await startEdge({
    introspect: async () => {
      await wait();
      return { active: false };
    },
    flags: {
      evaluate: async (_, __, key) => {
        await wait();
        return { ...evaluation, key };
      },
      evaluateAll: async () => {
        await wait();
        return [{ ...evaluation, key: 'one' }];
      },
    },
    ...options,
  });
}

interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** The word by which its protocol tells what is wrong. */
  readonly word: unknown;
}

async function ask(path: string, headers: Record<string, string> = {}): Promise<Told> {
  const isForm = path === '/introspect';
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json', ...headers },
    body: isForm ? 'token=x' : path === '/graphql' ? '{"query":"{ hello }"}' : '{"context":{}}',
  });
  const { error, errorCode, errors } = (await response.json()) as Record<string, unknown> & { errors?: unknown[] };
  return { status: response.status, headers: response.headers, word: error ?? errorCode ?? errors?.[0] };
}

const ROUTES = [
  ['/introspect', 'temporarily_unavailable'],
  [FLAG, 'GENERAL'],
  [ALL, 'GENERAL'],
] as const;

describe.each(ROUTES)('%s', (path, word) => {
  it('takes a place among those at work, and leaves the last fifth of them to mutations', async () => {
    await start({ limits: { inFlight: 10 } }, true);
    const held = Array.from({ length: 8 }, () => ask(path));
    await eventually(() => waiting === 8);
    for (const [each, said] of ROUTES) {
      const refused = await ask(each);
      expect([each, refused.status, refused.word, refused.headers.get('retry-after')]).toEqual([each, 503, said, '1']);
    }
    expect((await ask('/graphql')).status).toBe(503);
    expect((await gateway.query('mutation { rename }')).data).toEqual({ rename: 'done' });
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await ask(path)).status).toBe(200);
  });

  it('gives its place back when it was refused', async () => {
    await start({ limits: { inFlight: 10 } });
    for (let time = 0; time < 20; time++) expect((await ask(path, { authorization: 'Bearer bad' })).status).toBe(401);
    expect((await ask(path)).status).toBe(200);
  });

  it('takes no place before its body has arrived', async () => {
    await start({ limits: { inFlight: 10 } });
    const type = path === '/introspect' ? 'application/x-www-form-urlencoded' : 'application/json';
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 14\r\n\r\n{`;
    const senders = await Promise.all(Array.from({ length: 12 }, () => sendSlowly(head)));
    expect((await ask(path)).status).toBe(200);
    for (const sender of senders) sender.destroy();
  });

  it('answers within the deadline', async () => {
    await start({ limits: { deadlineMs: 500 } }, true);
    const late = await ask(path);
    expect([late.status, late.word, late.headers.get('retry-after')]).toEqual([503, word, '1']);
    release();
  });

  it('is held to the rates of its caller, by token or by address', async () => {
    await start({ rates: { token: 1, address: 1 } }); // one at once, and one more in a minute
    for (const headers of [{}, { authorization: 'Bearer ana' }]) {
      expect((await ask(path, headers)).status).toBe(200);
      const refused = await ask(path, headers);
      expect([refused.status, refused.word]).toEqual([429, word]);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('is closed to pages of other origins, and open to those of listed ones', async () => {
    await start({ origins: new Set(['https://app.example.com']) });
    expect((await ask(path, { origin: 'https://evil.example' })).status).toBe(403);
    expect(waiting).toBe(0);
    const asked = await ask(path, { origin: 'https://app.example.com' });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example.com']);
  });

  it('stands in the log by its name, without what callers put into it', async () => {
    await start();
    await ask(path);
    await ask(`/environments/esp_secret${path}`);
    await eventually(() => gateway.logged().filter(({ message, msg }) => (message ?? msg) === 'answered').length === 2);
    const [{ path: told, level } = {}] = gateway.logged();
    expect([told, level]).toEqual([path.replace('one', '{key}'), 'info']);
    expect(JSON.stringify(gateway.logged())).not.toContain('esp_secret');
  });
});

it('/introspect has a rate of its own, by caller', async () => {
  await start({ rates: { introspect: 1 } }); // one at once, and one more in a minute
  const by = (name: string) => ask('/introspect', { authorization: `Bearer ${name}` });
  expect((await by('ana')).status).toBe(200);
  expect((await by('ana')).status).toBe(429);
  expect((await by('rui')).status).toBe(200);
  expect((await ask(FLAG, { authorization: 'Bearer ana' })).status).toBe(200);
});

it('addresses whose tokens were refused too often are not listened to, whichever header bears them', async () => {
  await start({ rates: { failures: 3 } }); // 3 at once
  for (const path of ['/introspect', FLAG]) expect((await ask(path, { authorization: 'Bearer bad' })).status).toBe(401);
  expect((await ask(FLAG, { 'x-api-key': 'bad' })).status).toBe(401);
  for (const path of ['/introspect', FLAG, '/graphql'])
    expect((await ask(path, { authorization: 'Bearer bad' })).status).toBe(429);
  expect((await ask(ALL, { 'x-api-key': 'bad' })).status).toBe(429);
});

it('a browser may send what OFREP’s provider sends, and see the tag of the answer', async () => {
  await start({ origins: new Set(['https://app.example.com']) });
  const origin = 'https://app.example.com';
  const preflight = await fetch(`${gateway.url}${ALL}`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')?.split(', ')).toEqual(
    expect.arrayContaining(['content-type', 'authorization', 'x-api-key', 'x-environment', 'if-none-match']),
  );
  const { headers } = await ask(ALL, { origin });
  expect(headers.get('access-control-expose-headers')?.split(', ')).toContain('etag');
  expect(headers.get('etag')).toMatch(/^"/);
});

describe('a token for OFREP', () => {
  it('comes once: as Authorization, or as x-api-key', async () => {
    await start();
    expect((await ask(FLAG, { 'x-api-key': 'ana' })).status).toBe(200);
    expect((await ask(FLAG, { 'x-api-key': 'ana', authorization: 'Bearer rui' })).status).toBe(400);
    const twice = 'connection: close\r\nx-api-key: ana\r\nX-API-Key: rui\r\n\r\n';
    expect(await raw(`POST ${FLAG} HTTP/1.1\r\nhost: x\r\n${twice}`)).toMatch(/^HTTP\/1.1 400 .*"GENERAL"/s);
  });

  it('has 1,024 bytes at most', async () => {
    await start();
    expect((await ask(FLAG, { 'x-api-key': 'a'.repeat(1_024) })).status).toBe(200);
    expect((await ask(FLAG, { 'x-api-key': 'a'.repeat(1_025) })).status).toBe(431);
  });
});

/** Sends `text` and nothing after it; resolves once it is sent. */
function sendSlowly(text: string) {
  return new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () =>
      socket.write(text, () => resolve(socket)),
    );
    socket.on('error', reject);
  });
}

/** Sends `text` as it is; resolves to all that comes back. */
async function raw(text: string): Promise<string> {
  const socket = await sendSlowly(text);
  let told = '';
  for await (const chunk of socket) told += chunk;
  return told;
}
