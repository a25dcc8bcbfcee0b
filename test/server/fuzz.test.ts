// Whatever is sent, the answer is the client's fault or an answer: never ours. Long runs: FUZZ_RUNS=100000.

import { connect } from 'node:net';
import fc from 'fast-check';
import {
  buildClientSchema,
  type GraphQLSchema,
  getNamedType,
  introspectionFromSchema,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { traceOf } from '../../src/gateway.js';
import { type Context, contextOfViewer, NOBODY, SCOPES, type Viewer } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import type { Arrival } from '../../src/server/index.js';
import { type Api, startApi } from '../support/api.js';
import { edgeSchema, startEdge } from './edge-schema.js';
import { type Gateway, startEdgeOf } from './gateway.js';

const runs = Number(process.env.FUZZ_RUNS ?? 200);
const longestMs = Math.max(40_000, runs * 40);
const parameters = { numRuns: runs, interruptAfterTimeLimit: longestMs, markInterruptAsFailure: false };
vi.setConfig({ testTimeout: longestMs + 20_000 });

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startEdge({ limits: { body: 20_000 }, origins: new Set(['https://app.example.com']) });
});
afterAll(async () => {
  expect(gateway.logged().filter(({ msg }) => msg === 'failed')).toEqual([]);
  await gateway.close();
});

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', '\0', '\ud800', 'x'.repeat(3_000)),
);
const header = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const headers = fc.record(
  {
    accept: fc.oneof(
      header,
      fc.constantFrom('*/*', 'text/event-stream', 'application/graphql-response+json', 'text/html', ',,,;q='),
    ),
    authorization: fc.oneof(
      header,
      header.map((rest) => `Bearer ${rest}`),
      fc.constant('Basic Og=='),
    ),
    'content-type': fc.oneof(
      header,
      fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain'),
    ),
    'content-encoding': fc.oneof(header, fc.constant('identity')),
    origin: fc.oneof(header, fc.constantFrom('null', 'https://app.example.com')),
    'x-forwarded-for': header,
    'x-cache-trace': fc.constantFrom('1', '0'),
    'if-none-match': header,
  },
  { requiredKeys: [] },
);

/** Statuses that are never ours to answer with. */
async function statusOf(response: Response): Promise<number> {
  await response.text();
  return response.status;
}

describe('no input is answered with 5xx', () => {
  it('whatever the headers, the method and the body', async () => {
    const body = fc.oneof(
      text,
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const method = fc.constantFrom('POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH');
    const path = fc.oneof(
      fc.constant('/graphql'),
      fc.webPath(),
      text.map((query) => `/graphql?query=${encodeURIComponent(query.replace(/\p{Surrogate}/gu, ''))}`),
    );
    await fc.assert(
      fc.asyncProperty(method, path, headers, body, async (method, path, headers, body) => {
        const sent = method === 'GET' || method === 'HEAD' ? {} : { body };
        const response = await fetch(gateway.url + path, { method, headers, redirect: 'manual', ...sent });
        expect(await statusOf(response)).toBeLessThan(500);
      }),
      parameters,
    );
  });

  it('whatever stands in the parameters of a request', async () => {
    const value = fc.oneof(text, fc.jsonValue());
    const body = fc.record(
      { query: value, variables: value, operationName: value, extensions: value, documentId: value, x: value },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(body, async (body) => {
        expect(await statusOf(await gateway.post(body))).toBeLessThan(500);
        const inUrl = Object.entries(body).map(([name, part]): [string, string] => [
          name,
          String(typeof part === 'string' ? part.replace(/\p{Surrogate}/gu, '') : JSON.stringify(part)),
        ]);
        expect(await statusOf(await gateway.get(Object.fromEntries(inUrl)))).toBeLessThan(500);
      }),
      parameters,
    );
  });

  it('whatever the document', async () => {
    await fc.assert(
      fc.asyncProperty(
        documents(edgeSchema),
        fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()),
        async (query, variables) => {
          const response = await gateway.post(
            { query, variables },
            { accept: 'application/json, text/event-stream;q=0.1' },
          );
          void response.body?.cancel();
          expect(response.status).toBeLessThan(500);
        },
      ),
      parameters,
    );
  });

  it('whatever bytes come in place of a request', async () => {
    const line = fc.constantFrom(
      'GET /graphql HTTP/1.1\r\n',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n',
      '',
    );
    await fc.assert(
      fc.asyncProperty(line, fc.uint8Array({ maxLength: 200 }), async (line, bytes) => {
        const told = await answerTo(Buffer.concat([Buffer.from(line), bytes, Buffer.from('\r\n\r\n')]));
        expect(told).not.toMatch(/^HTTP\/1.1 5/);
      }),
      { ...parameters, numRuns: Math.min(runs, 100) },
    );
  });
});

describe('on the whole gateway', () => {
  let api: Api;
  let whole: Gateway;
  beforeAll(async () => {
    api = await startApi({ redisUrl: null });
    const { services } = api.gateway;
    const all: Viewer = { subject: 'administrator', scopes: new Set(SCOPES), tokenId: null };
    const reads = new Set(SCOPES.filter((scope) => scope.endsWith(':read')));
    const callers = new Map([
      ['Bearer administrator', all],
      ['Bearer reader', { subject: 'reader', scopes: reads, tokenId: null }],
    ]);
    const contextOf = async ({ authorization = '' }: Arrival) =>
      contextOfViewer(services, callers.get(authorization) ?? NOBODY);
    whole = await startEdgeOf<Context>({ contextOf, traceOf, codedError, schema });
  });
  afterAll(async () => {
    await whole.close();
    await api.close();
  });

  it.each([
    ['nobody', {}],
    ['a reader', { authorization: 'Bearer reader' }],
    ['an administrator', { authorization: 'Bearer administrator' }],
  ])('no document of %s fails as INTERNAL, whatever its fields and arguments', async (_, headers) => {
    // As clients know it: without anything that runs.
    const known = buildClientSchema(introspectionFromSchema(schema));
    await fc.assert(
      fc.asyncProperty(documents(known), async (query) => {
        const response = await whole.post({ query }, headers);
        expect(await response.text()).not.toContain('INTERNAL');
        expect(response.status).not.toBe(500);
      }),
      parameters,
    );
  });
});

/** Resolves to what comes back until the connection ends, or for a moment where it does not. */
function answerTo(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let told = '';
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (chunk) => {
      told += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(told));
    socket.setTimeout(1_000, () => socket.destroy());
  });
}

/** Documents that mostly fit `schema`, and mostly not quite. */
function documents(schema: GraphQLSchema): fc.Arbitrary<string> {
  const value: fc.Arbitrary<string> = fc.oneof(
    fc.integer().map(String),
    fc.double().map(String),
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom(
      'null',
      'true',
      'A',
      '$a',
      '$b',
      '[]',
      '{}',
      '["x", "y"]',
      '{key: "x"}',
      '1e400',
      '-1',
      '"""block"""',
      '"\\ud800"',
      '"2026-01-01"',
      '99999999999999999999',
      '"main"',
      '"production"',
    ),
  );
  const selection = (typeName: string, levels: number): fc.Arbitrary<string> => {
    const type = schema.getType(typeName);
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    if (levels === 0 || fields.length === 0) return fc.constant('{ __typename }');
    const one = fc.constantFrom(...fields).chain((field) => {
      const inner = getNamedType(field.type);
      const args = fc.tuple(
        ...field.args.map((arg) =>
          fc.option(
            value.map((literal) => `${arg.name}: ${literal}`),
            { freq: 3 },
          ),
        ),
      );
      const below = isCompositeType(inner) ? selection(inner.name, levels - 1) : fc.constant('');
      const alias = fc.constantFrom('', '', '', 'a: ', 'b: ');
      const directive = fc.constantFrom('', '', '', '@skip(if: false)', '@include(if: $a)', '@nope');
      return fc.tuple(alias, args, directive, below).map(([alias, args, directive, below]) => {
        const given = args.filter((arg) => arg !== null).join(' ');
        return `${alias}${field.name}${given && `(${given})`} ${directive} ${below}`;
      });
    });
    const other = fc.constantFrom(
      '__typename',
      '...A',
      `... on ${typeName} { __typename }`,
      '__schema { types { name } }',
      'nope',
    );
    return fc
      .array(fc.oneof({ weight: 6, arbitrary: one }, { weight: 1, arbitrary: other }), { minLength: 1, maxLength: 3 })
      .map((fields) => `{ ${fields.join(' ')} }`);
  };
  const roots = [schema.getQueryType(), schema.getQueryType(), schema.getMutationType()].flatMap(
    (type) => type?.name ?? [],
  );
  const head = fc.constantFrom('', '', '($a: Int, $b: String = "x")', '($a: Boolean = true)', '($a: Nope)');
  return fc.constantFrom(...roots).chain((root) =>
    fc.tuple(head, selection(root, 4), selection(root, 2)).map(([head, main, fragment]) => {
      const spread = main.includes('...A') ? ` fragment A on ${root} ${fragment}` : '';
      return `${root === 'Mutation' ? 'mutation' : 'query'} ${head} ${main}${spread}`;
    }),
  );
}
