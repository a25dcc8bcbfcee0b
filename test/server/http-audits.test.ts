// The audits of the specification GraphQL over HTTP, by the package `graphql-http`, asked of a whole gateway. Those that
// SHOULD or MAY hold do too: no limit of ours contradicts one. Where the schema is not told, five of them cannot be asked.
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, type RunningServer, startServer } from '../../src/server/index.js';
import { type Api, startApi } from '../support/api.js';

/** They test text and variables by questions about the schema. */
const ABOUT_THE_SCHEMA: ReadonlySet<string> = new Set(['BF61', '2EA1', '28B9', 'D6D5', '6A70']);

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

describe.each([
  ['in development', { production: false, introspection: true }],
  ['in production, where the schema is told', { production: true, introspection: true }],
  ['in production, where the schema is not told', { production: true, introspection: false }],
])('%s', (_, { production, introspection }) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      host: '127.0.0.1',
      port: 0,
      portIsExplicit: true,
      schema,
      contextOf: api.gateway.contextOf,
      codedError,
      traceOf,
      readiness: api.gateway.readiness,
      logger: makeLogger({ level: 'silent' }),
      limits: { deadlineMs: 60_000 },
      introspection,
      production,
    });
  });
  afterAll(() => server.close());

  const audits = serverAudits({ url: () => `${server.url}/graphql` });
  const asked = introspection ? audits : audits.filter(({ id }) => !ABOUT_THE_SCHEMA.has(id));

  it.each(asked.map(({ name, id, fn }) => [name, id, fn] as const))('%s (%s)', async (name, _id, fn) => {
    const { status } = await fn();
    expect([name, status]).toEqual([name, 'ok']);
  });

  it.runIf(!introspection)('what asks about the schema is refused with 403', async () => {
    for (const { id, fn } of audits.filter(({ id }) => ABOUT_THE_SCHEMA.has(id))) {
      const result = await fn();
      expect([id, 'response' in result && result.response.status]).toEqual([id, 403]);
    }
  });
});

it('there are audits of all three levels', () => {
  const levels = serverAudits({ url: '' }).map(({ name }) => name.split(' ')[0]);
  expect(new Set(levels)).toEqual(new Set(['MUST', 'SHOULD', 'MAY']));
  expect(levels.length).toBeGreaterThanOrEqual(61);
});
