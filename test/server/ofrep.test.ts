// The OpenFeature Remote Evaluation Protocol over a whole gateway: what OpenFeature's SDK and plain HTTP clients rely on.
import { request } from 'node:http';
import type { Client } from '@openfeature/server-sdk';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailable } from '../../src/db/index.js';
import { flagUsesOf } from '../../src/resolvers/flag-uses.js';
import { contextOfViewer, flagsView, remoteFlags } from '../../src/resolvers/index.js';
import type { RunningServer } from '../../src/server/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { openFeatureClient, post, serveFlags, tokenOf } from './ofrep-gateway.js';

const editor = { scopes: ['flags:read', 'flags:write'] };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };

let api: Api;
let server: RunningServer;
let sdk: Client;
let evaluator: string;
let menuReader: string;
const logged: string[] = [];
beforeAll(async () => {
  api = await startApi();
  server = await serveFlags(api, (line) => logged.push(line));
  for (const [key, isPublic] of [
    ['production', true],
    ['staging', false],
    ['empty', true],
    ['empty-private', false],
  ]) {
    await api.ask(
      `mutation ($key: String!, $public: Boolean!) { saveEnvironment(key: $key, public: $public) { __typename } }`,
      editor,
      {
        key,
        public: isPublic,
      },
    );
  }
  await save('boolean', { ...onOff, metadata: { owner: 'ana', tier: 2, loud: false } });
  await save('text', { ...onOff, variants: { on: 'yes', off: '' } });
  await save('number', { ...onOff, variants: { on: 1.5, off: 0 } });
  await save('object', { ...onOff, variants: { on: { deep: [1, { two: null }] }, off: {} } });
  await save('by-country', {
    state: 'ENABLED',
    variants: { green: 'g', blue: 'b' },
    defaultVariant: 'blue',
    targeting: { if: [{ '==': [{ var: 'country' }, 'BR'] }, 'green', null] },
  });
  await save('no-default', { state: 'ENABLED', variants: { on: true, off: false } });
  await save('switched-off', onOff, { enabled: false });
  await save('groups/two words é?', onOff);
  await save('secret-plan', onOff, { environment: 'staging' });
  await api.database.psql`INSERT INTO flags (environment, key, enabled, definition)
    VALUES ('production', 'broken', true, ${api.database.psql.json({ ...onOff, targeting: { nope: [1] } })})`;
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
  evaluator = await tokenOf(api, ['flags:evaluate']);
  menuReader = await tokenOf(api, ['menus:read']);
  sdk = await openFeatureClient(server.url);
});
afterAll(async () => {
  await server.close();
  await api.close();
});

async function save(key: string, definition: object, rest: object = {}): Promise<void> {
  const input = { environment: 'production', key, enabled: true, definition, ...rest };
  const document = `mutation ($input: SaveFlagInput!) { saveFlag(input: $input) { __typename ... on UserError { message } } }`;
  expect((await api.ask(document, editor, { input })).data.saveFlag).toEqual({ __typename: 'SaveFlagPayload' });
}

const toggle = (key: string, enabled: boolean, environment = 'production') =>
  api.ask(
    `mutation { toggleFlag(environment: "${environment}", key: "${key}", enabled: ${enabled}) { __typename } }`,
    editor,
  );

const one = (key: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  post(`${server.url}/ofrep/v1/evaluate/flags/${key}`, body, headers);
const all = (body: unknown = {}, headers: Record<string, string> = {}) =>
  post(`${server.url}/ofrep/v1/evaluate/flags`, body, headers);
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe("OpenFeature's SDK with its OFREP provider", () => {
  it('gets values of every type, with variant, reason and metadata', async () => {
    expect(await sdk.getBooleanDetails('boolean', false)).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
      flagMetadata: { owner: 'ana', tier: 2, loud: false },
    });
    expect(await sdk.getStringValue('text', 'no')).toBe('yes');
    expect(await sdk.getNumberValue('number', 0)).toBe(1.5);
    expect(await sdk.getObjectValue('object', {})).toEqual({ deep: [1, { two: null }] });
  });

  it('is answered by its context', async () => {
    expect(await sdk.getStringDetails('by-country', '?', { targetingKey: 'ana', country: 'BR' })).toMatchObject({
      value: 'g',
      variant: 'green',
      reason: 'TARGETING_MATCH',
    });
    expect(await sdk.getStringDetails('by-country', '?', { country: 'PT' })).toMatchObject({
      value: 'b',
      reason: 'DEFAULT',
    });
  });

  it('falls back to the default of the application where a flag is missing, of another type, broken or switched off', async () => {
    expect(await sdk.getBooleanDetails('no-such-flag', true)).toMatchObject({
      value: true,
      reason: 'ERROR',
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(await sdk.getStringDetails('boolean', 'mine')).toMatchObject({ value: 'mine', errorCode: 'TYPE_MISMATCH' });
    expect(await sdk.getBooleanDetails('broken', true)).toMatchObject({ value: true, errorCode: 'PARSE_ERROR' });
    expect(await sdk.getBooleanValue('switched-off', false)).toBe(false);
    expect(await sdk.getBooleanValue('no-default', true)).toBe(true);
  });

  it('finds a flag whose key has slashes, blanks and question marks, encoded or as far as an address can have them', async () => {
    expect(await sdk.getBooleanValue(encodeURIComponent('groups/two words é?'), false)).toBe(true);
    expect(await sdk.getBooleanValue('groups/two words é%3F', false)).toBe(true);
  });

  it('sees a switch on another gateway at its next evaluation', async () => {
    const other = await startApi({ database: api.database });
    const otherServer = await serveFlags(other);
    try {
      await save('switch', onOff);
      const client = await openFeatureClient(otherServer.url);
      for (const enabled of [false, true, false]) {
        await toggle('switch', enabled);
        expect(await client.getBooleanValue('switch', false)).toBe(enabled);
      }
    } finally {
      await otherServer.close();
      await other.close();
    }
  });

  it('reaches another environment by its path or by a header, with a token or an API key', async () => {
    const by = (baseUrl: string, headers: [string, string][]) => openFeatureClient(baseUrl, headers);
    const staging: [string, string] = ['x-environment', 'staging'];
    const clients = [
      await by(`${server.url}/environments/staging`, [['authorization', `Bearer ${evaluator}`]]),
      await by(server.url, [staging, ['authorization', `Bearer ${evaluator}`]]),
      await by(server.url, [staging, ['x-api-key', evaluator]]),
    ];
    for (const client of clients) expect(await client.getBooleanValue('secret-plan', false)).toBe(true);
  });
});

describe('one flag', () => {
  it('is answered with 200, and without a value where the application has to take its own', async () => {
    const { status, headers, json } = await one('boolean', { context: { targetingKey: 'ana' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    const metadata = { owner: 'ana', tier: 2, loud: false };
    expect(json).toEqual({ key: 'boolean', value: true, reason: 'STATIC', variant: 'on', metadata });
    expect(await one('switched-off')).toMatchObject({
      status: 200,
      json: { key: 'switched-off', reason: 'DISABLED', metadata: {} },
    });
    const { json: undecided } = await one('no-default');
    expect(undecided).toEqual({ key: 'no-default', reason: 'DEFAULT', metadata: {} });
  });

  it('is 404 where there is none, and 400 where it cannot be evaluated', async () => {
    expect(await one('no-such-flag')).toMatchObject({
      status: 404,
      json: { key: 'no-such-flag', errorCode: 'FLAG_NOT_FOUND', errorDetails: expect.stringMatching(/\.$/) },
    });
    expect(await one('')).toMatchObject({ status: 404, json: { key: '', errorCode: 'FLAG_NOT_FOUND' } });
    expect(await one('broken')).toMatchObject({ status: 400, json: { key: 'broken', errorCode: 'PARSE_ERROR' } });
  });

  it('needs no body', async () => {
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${server.url}/ofrep/v1/evaluate/flags/boolean`, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(200);
  });

  it.each([
    ['no object', { context: [1] }],
    ['text', { context: 'ana' }],
    ['a NUL', { context: { a: '\0' } }],
    ['half a character', '{"context": {"a": "\\ud800"}}'],
    ['a key __proto__', '{"context": {"__proto__": {}}}'],
    ['too many levels', { context: JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) }],
    ['more than 64 KiB', { context: { a: 'x'.repeat(70_000) } }],
  ])('refuses a context that has %s', async (_, body) => {
    const refused = { status: 400, json: { errorCode: 'INVALID_CONTEXT', errorDetails: expect.stringMatching(/\.$/) } };
    expect(await one('boolean', body)).toMatchObject({ ...refused, json: { ...refused.json, key: 'boolean' } });
    expect(await all(body)).toMatchObject(refused);
  });

  it.each([
    ['no JSON', '{oops', 400, 'PARSE_ERROR'],
    ['an array', [], 400, 'PARSE_ERROR'],
    ['null', 'null', 400, 'PARSE_ERROR'],
    ['too long', { context: { a: 'x'.repeat(200_000) } }, 413, 'GENERAL'],
  ])('refuses a body that is %s', async (_, body, status, errorCode) => {
    const refused = { status, json: { errorCode, errorDetails: expect.stringMatching(/\.$/) } };
    expect(await one('boolean', body)).toMatchObject({ ...refused, json: { ...refused.json, key: 'boolean' } });
    expect(await all(body)).toMatchObject(refused);
  });

  it('refuses other methods, other types, addresses that are none, and two environments at once', async () => {
    const address = `${server.url}/ofrep/v1/evaluate/flags/boolean`;
    const got = await fetch(address);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await got.json()).toMatchObject({ key: 'boolean', errorCode: 'GENERAL' });
    expect((await one('boolean', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await one('%E9%')).status).toBe(400);
    expect((await post(`${server.url}/ofrep/v1/other`, {})).status).toBe(404);
    const twice = `${server.url}/environments/production/ofrep/v1/evaluate/flags/boolean`;
    expect((await post(twice, {}, { 'x-environment': 'staging' })).status).toBe(400);
    expect((await post(twice, {}, { 'x-environment': 'production' })).status).toBe(200);
  });
});

describe('rights', () => {
  it('are those of GraphQL: what the caller may not evaluate looks like what is missing', async () => {
    const staging = { 'x-environment': 'staging' };
    const missing = await one('secret-plan', {}, { 'x-environment': 'nowhere' });
    expect(missing.status).toBe(404);
    for (const headers of [staging, { ...staging, ...bearer(menuReader) }]) {
      const { status, json } = await one('secret-plan', {}, headers);
      const { errorDetails } = missing.json;
      expect([status, json]).toEqual([
        404,
        { ...missing.json, errorDetails: errorDetails.replace('nowhere', 'staging') },
      ]);
      expect(await all({}, headers)).toMatchObject({ status: 404, json: { errorCode: 'FLAG_NOT_FOUND' } });
    }
    expect((await one('secret-plan', {}, { ...staging, ...bearer(evaluator) })).json.value).toBe(true);
  });

  it('tell an environment without flags from one that there is not', async () => {
    const inside = async (environment: string, headers = {}) =>
      (await all({}, { 'x-environment': environment, ...headers })).status;
    expect(await inside('empty')).toBe(200);
    expect(await inside('empty-private')).toBe(404);
    expect(await inside('empty-private', bearer(evaluator))).toBe(200);
    expect(await inside('nowhere', bearer(evaluator))).toBe(404);
  });

  it('refuse a token that is none with 401, before the body is looked at', async () => {
    for (const headers of [bearer('esp_nonsense'), { 'x-api-key': 'esp_nonsense' }, { authorization: 'Basic YTpi' }]) {
      const { status, json, headers: answered } = await one('boolean', '{oops', headers);
      expect([status, json.errorCode, json.key]).toEqual([401, 'GENERAL', 'boolean']);
      expect(answered.get('www-authenticate')).toBe('Bearer');
    }
  });
});

describe('all flags', () => {
  it('are answered by key, each with its value or its error', async () => {
    const { status, json } = await all({ context: { country: 'BR' } });
    expect(status).toBe(200);
    const keys = json.flags.map(({ key }: { key: string }) => key);
    expect(keys).toEqual([...keys].sort());
    const flag = (key: string) => json.flags.find((each: { key: string }) => each.key === key);
    expect(flag('by-country')).toEqual({
      key: 'by-country',
      value: 'g',
      reason: 'TARGETING_MATCH',
      variant: 'green',
      metadata: {},
    });
    expect(flag('broken')).toMatchObject({ errorCode: 'PARSE_ERROR' });
    expect(flag('switched-off')).toEqual({ key: 'switched-off', reason: 'DISABLED', metadata: {} });
  });

  it('have an entity tag, and are not sent again until an answer is another', async () => {
    await save('tagged', onOff);
    const first = await all();
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await all({}, { 'if-none-match': known });
      expect([again.status, again.json, again.headers.get('etag')]).toEqual([304, undefined, tag]);
    }
    expect((await all({}, { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await all({ context: { country: 'BR' } }, { 'if-none-match': tag })).status).toBe(200);
    await toggle('tagged', false);
    const changed = await all({}, { 'if-none-match': tag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(tag);
    await toggle('tagged', true);
    expect((await all({}, { 'if-none-match': tag })).status).toBe(304);
  });
});

describe('in doubt', () => {
  it('says that neither store can be read, and when to try again', async () => {
    const fail = () => Promise.reject(new DatabaseUnavailable('Postgres is out of reach; try again.'));
    const cut = await serveFlags(api, undefined, { evaluate: fail, evaluateAll: fail });
    try {
      for (const [path, rest] of [
        ['/boolean', { key: 'boolean' }],
        ['', {}],
      ] as const) {
        const { status, headers, json } = await post(`${cut.url}/ofrep/v1/evaluate/flags${path}`, {});
        expect([status, headers.get('retry-after')]).toEqual([503, '1']);
        expect(json).toEqual({ ...rest, errorCode: 'GENERAL', errorDetails: 'Postgres is out of reach; try again.' });
      }
    } finally {
      await cut.close();
    }
  });

  it('calls an answer that neither store can vouch for STALE', async () => {
    const ctx = contextOfViewer(api.gateway.services, { subject: null, scopes: new Set(), tokenId: null });
    const found = await ctx.cache.readFields(flagsView, 'production', ['boolean']);
    if (found.kind === 'absent') throw new Error('There is no environment.');
    vi.spyOn(ctx.cache, 'readFields').mockResolvedValue({ ...found, stale: true });
    expect(await remoteFlags.evaluate(ctx, 'production', 'boolean', {})).toMatchObject({
      value: true,
      reason: 'STALE',
    });
    expect(await remoteFlags.evaluate(ctx, 'production', 'none', {})).toMatchObject({ reason: 'ERROR' });
  });
});

describe('a request', () => {
  it('is counted for the report of stale flags', async () => {
    await save('looked-at', onOff);
    await one('looked-at');
    await flagUsesOf(api.gateway.services).flush();
    expect(await api.database.psql`SELECT FROM flag_uses WHERE key = 'looked-at'`).toHaveLength(1);
  });

  it('costs one look into the cache, and loads nothing', async () => {
    await eventually(async () => {
      api.events.length = 0;
      await one('boolean');
      return api.events.some(({ kind }) => kind === 'hit');
    });
    expect(api.events.filter(({ kind }) => kind === 'loaded')).toEqual([]);
  });

  it('writes no token to the log', async () => {
    await one('boolean', {}, bearer(evaluator));
    await one('boolean', {}, { 'x-api-key': evaluator });
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('\n')).not.toContain(evaluator);
  });
});
