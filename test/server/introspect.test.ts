// /introspect, by which API gateways ask what a token stands for: RFC 7662 over a whole gateway.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import {
  contextOfViewer,
  introspection,
  issueToken,
  makeSecret,
  revokeToken,
  SCOPES,
} from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, type RunningServer, startServer } from '../../src/server/index.js';
import { type Api, startApi } from '../support/api.js';

let api: Api;
let server: RunningServer;
const logged: string[] = [];
let client: string;
let lesser: string;
beforeAll(async () => {
  api = await startApi();
  server = await serve(api);
  client = (await issue({ scopes: ['tokens:introspect'], subject: 'edge' })).secret;
  lesser = (await issue({ scopes: ['tokens:read'] })).secret;
});
afterAll(async () => {
  await server.close();
  await api.close();
});

const serve = ({ gateway }: Api) =>
  startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf: gateway.contextOf,
    codedError,
    traceOf,
    readiness: gateway.readiness,
    introspect: introspection,
    logger: makeLogger({ level: 'debug', write: (line) => logged.push(line) }),
    production: true,
  });

const admin = () => contextOfViewer(api.gateway.services, { subject: 'admin', scopes: new Set(SCOPES), tokenId: null });

const issue = (input: object) =>
  issueToken(admin(), { name: 'test', subject: 'ana', scopes: ['statements:read'], ...input });

interface Asked {
  readonly authorization?: string | null;
  readonly type?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

async function ask(body: string, { authorization, type, method = 'POST', headers, path = '' }: Asked = {}) {
  const response = await fetch(`${server.url}/introspect${path}`, {
    method,
    headers: {
      ...(authorization !== null && { authorization: authorization ?? `Bearer ${client}` }),
      'content-type': type ?? 'application/x-www-form-urlencoded',
      ...headers,
    },
    ...(method === 'POST' && { body }),
  });
  return { status: response.status, headers: response.headers, json: await response.json() };
}

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

describe('an active token', () => {
  it('is told as RFC 7662 has it: numbers of seconds, scopes between blanks', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { secret, token } = await issue({ scopes: ['menus:read', 'flags:read'], expiresAt });
    const { status, headers, json } = await ask(`token=${secret}&token_type_hint=access_token`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json).toEqual({
      active: true,
      scope: 'menus:read flags:read',
      sub: 'ana',
      exp: Math.floor(expiresAt.getTime() / 1_000),
      iat: Math.floor(token.value.createdAt / 1_000),
      jti: Buffer.from(`Token:${token.value.id}`).toString('base64url'),
      token_type: 'Bearer',
    });
  });

  it('without an expiry has no exp', async () => {
    const { secret } = await issue({});
    expect((await ask(`token=${secret}`)).json).not.toHaveProperty('exp');
  });

  it('counts as used', async () => {
    const { secret, token } = await issue({});
    await ask(`token=${secret}`);
    const uses = await api.gateway.services.tokenUses.lastUsed([token.value.id]);
    expect(uses.get(token.value.id)).toBeInstanceOf(Date);
  });
});

it('a token that is unknown, revoked, foreign, mistyped or endless is inactive, and nothing more is said', async () => {
  const revoked = await issue({});
  expect((await ask(`token=${revoked.secret}`)).json.active).toBe(true);
  await revokeToken(admin(), Buffer.from(`Token:${revoked.token.value.id}`).toString('base64url'));
  const jwt = `eyJhbGciOiJIUzI1NiJ9.${'x'.repeat(3_000)}.sig`;
  const odd = [
    revoked.secret,
    makeSecret(randomBytes(32)),
    `${client}0`,
    jwt,
    'x'.repeat(16_000),
    '%00',
    '%ff%fe',
    '+',
  ];
  for (const token of odd) {
    const { status, json } = await ask(`token=${token}`);
    expect({ status, json }).toEqual({ status: 200, json: { active: false } });
  }
});

it('a token revoked on one gateway is inactive on the other as soon as that is acknowledged', async () => {
  const other = await startApi({ database: api.database });
  const second = await serve(other);
  try {
    const { secret, token } = await issue({});
    const askOther = async () =>
      (
        await fetch(`${second.url}/introspect`, {
          method: 'POST',
          headers: { authorization: `Bearer ${client}` },
          body: new URLSearchParams({ token: secret }),
        })
      ).json();
    expect(await askOther()).toMatchObject({ active: true });
    const id = Buffer.from(`Token:${token.value.id}`).toString('base64url');
    expect((await revokeToken(admin(), id)).receipt.visible).toBe(true);
    expect(await askOther()).toEqual({ active: false });
  } finally {
    await second.close();
    await other.close();
  }
});

describe('whoever asks', () => {
  it('may authenticate by HTTP Basic, the token as password', async () => {
    const { secret } = await issue({});
    for (const name of ['edge', '', 'any name']) {
      const { json } = await ask(`token=${secret}`, { authorization: basic(name, client) });
      expect(json.active).toBe(true);
    }
  });

  it.each([
    ['nobody', null],
    ['an empty header', ''],
    ['an unknown token', 'Bearer esp_nothing'],
    ['another scheme', 'Digest username="x"'],
    ['a password that is no token', basic('edge', 'wrong')],
    ['Basic without a password', basic('edge', '')],
    ['Basic without a colon', `Basic ${Buffer.from('edge').toString('base64')}`],
    ['Basic that is not base64', 'Basic ???'],
  ])('is turned away with 401 and both challenges as %s', async (_, authorization) => {
    const { status, headers, json } = await ask('token=x', { authorization });
    expect([status, json.error]).toEqual([401, 'invalid_client']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer .*Basic /);
  });

  it('needs tokens:introspect', async () => {
    for (const authorization of [`Bearer ${lesser}`, basic('edge', lesser)]) {
      const { status, json } = await ask(`token=${client}`, { authorization });
      expect([status, json.error]).toEqual([403, 'insufficient_scope']);
    }
  });

  it('is told to try again while nothing can vouch for a token', async () => {
    const { secret } = await issue({});
    const lost = new Error('Postgres is out of reach; try again.');
    const failing = await startServer({
      host: '127.0.0.1',
      port: 0,
      portIsExplicit: true,
      schema,
      contextOf: async () => {
        throw Object.assign(lost, { code: 'UNAVAILABLE' });
      },
      traceOf: () => [],
      readiness: api.gateway.readiness,
      introspect: async () => ({}),
      logger: makeLogger({ level: 'silent' }),
      production: true,
    });
    const response = await fetch(`${failing.url}/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ token: secret }),
    });
    expect([response.status, (await response.json()).error]).toEqual([503, 'temporarily_unavailable']);
    expect(response.headers.get('retry-after')).toBe('1');
    await failing.close();
  });
});

describe('a request is refused', () => {
  it.each([
    ['without a token', '', {}, 400],
    ['with an empty token', 'token=', {}, 400],
    ['with two tokens', 'token=a&token=b', {}, 400],
    ['with the token in the URL', '', { path: '?token=esp_x' }, 400],
    ['by GET', '', { method: 'GET', path: '?token=esp_x' }, 405],
    ['as JSON', '{"token":"x"}', { type: 'application/json' }, 415],
    ['without a content type', 'token=x', { type: '' }, 415],
    ['as a form of parts', 'token=x', { type: 'multipart/form-data; boundary=x' }, 415],
    ['compressed', 'token=x', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['longer than 16 KiB', `token=${'x'.repeat(16_384)}`, {}, 413],
  ] satisfies [string, string, Asked, number][])('%s', async (_, body, asked, status) => {
    const refused = await ask(body, asked);
    expect([refused.status, refused.json.error]).toEqual([status, 'invalid_request']);
    expect(refused.json.error_description).toMatch(/[.]$/);
  });
});

it('no log line holds a token', async () => {
  const { secret } = await issue({});
  await ask(`token=${secret}`);
  await ask(`token=${secret}`, { authorization: basic('edge', `${client}x`) });
  await ask('', { path: `?token=${secret}` });
  const lines = logged.join('\n');
  expect(lines).toContain('"path":"/introspect"');
  for (const each of [secret, client, lesser]) expect(lines).not.toContain(each);
});

it('is no route of a server that is not given it', async () => {
  const { url, close } = await startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf: api.gateway.contextOf,
    traceOf,
    readiness: api.gateway.readiness,
    logger: makeLogger({ level: 'silent' }),
    production: true,
  });
  expect((await fetch(`${url}/introspect`, { method: 'POST' })).status).toBe(404);
  await close();
});
