// How much one request may ask for: each limit at its edge, where exactly as much is answered and one more is refused.

import { connect } from 'node:net';
import { getIntrospectionQuery, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';
import { exampleOperations } from '../../src/server/index.js';
import { defaultLimits } from '../../src/server/limits.js';
import { costOf } from '../../src/server/operation-cost.js';
import { checkDocuments } from '../../src/server/trusted-documents.js';
import { eventually } from '../support/eventually.js';
import { follow } from '../support/follow.js';
import { edgeSchema, holdUp, startEdge } from './edge-schema.js';
import { answerOf, type Gateway } from './gateway.js';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startEdge();
});
afterAll(() => gateway.close());

const outcome = async (response: Response) => {
  const { status, errors } = await answerOf(response);
  return errors?.[0] ? `${status} ${errors[0].extensions?.code}` : status;
};
const ask = async (query: string, variables?: object) => outcome(await gateway.post({ query, variables }));
const nested = (levels: number) => `${'nest {'.repeat(levels - 1)} hello ${'}'.repeat(levels - 1)}`;
const times = (count: number, text: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => text(at)).join(' ');

describe('of a document exactly as much is answered as may be asked, and one more is refused', () => {
  const inNest = (text: string) => `{ nest { ${text} } }`;
  const cases: [string, number, (count: number) => string][] = [
    ['words and signs', 1_000, (count) => `{ some(keys: [${'"k",'.repeat(count - 12)}]) { name } }`],
    ['levels', 12, (count) => `{ ${nested(count)} }`],
    ['levels through fragments', 12, (count) => `{ nest { ...A } } fragment A on Query { ${nested(count - 1)} }`],
    ['levels through inline fragments', 12, (count) => inNest(`... { ... on Query { ${nested(count - 1)} } }`)],
    ['levels of each operation', 12, (count) => `query A { hello } query B { ${nested(count)} }`],
    ['aliases', 15, (count) => inNest(times(count, (at) => `a${at}: hello`))],
    ['aliases of __typename', 15, (count) => inNest(times(count, (at) => `a${at}: __typename`))],
    ['aliases through fragments', 15, (count) => `${inNest('...A '.repeat(count))} fragment A on Query { a: hello }`],
    ['directives', 50, (count) => inNest('hello @skip(if: false) '.repeat(count))],
    [
      'directives on spreads',
      50,
      (count) => `${inNest('...A @skip(if: false) '.repeat(count))} fragment A on Query { hello }`,
    ],
    ['root fields', 20, (count) => `{ ${'hello '.repeat(count)} }`],
    ['root fields through fragments', 20, (count) => `{ ${'...A '.repeat(count)} } fragment A on Query { hello }`],
    ['objects of a list', 5_000, (count) => `{ items(first: ${count}) { name } }`],
    ['objects of lists in a list', 4_999, (count) => `{ items(first: 1) { items(first: ${count}) { name } } }`],
    [
      'objects by keys',
      4_100,
      (count) => `{ some(keys: [${'"k",'.repeat(900)}]) { name } items(first: ${count}) { name } }`,
    ],
    ['edges and nodes of a page', 2_499, (count) => `{ page(first: ${count}) { edges { node { name } } total } }`],
    [
      'objects through fragments',
      2_500,
      (count) => `{ ...A nest { ...A } } fragment A on Query { items(first: ${count}) { name } }`,
    ],
    ['objects of an unbounded list', 499, (count) => `{ all { items(first: ${count}) { name } } }`],
  ];
  it.each(cases)('%s: %i', async (what, most, documentOf) => {
    const exactly = what === 'objects through fragments' ? most - 1 : most; // nest is an object too
    const query = what.startsWith('levels of each')
      ? { query: documentOf(exactly), operationName: 'A' }
      : { query: documentOf(exactly) };
    expect(await outcome(await gateway.post(query))).toBe(200);
    expect(await ask(documentOf(exactly + 1))).toBe('400 LIMIT_EXCEEDED');
  });

  it('sizes from variables, their defaults, and the defaults of arguments', async () => {
    const query = 'query ($n: Int = 100, $m: Int) { items(first: $n) { items(first: $m) { name } } }';
    expect(await ask(query, { m: 49 })).toBe(200);
    expect(await ask(query, { m: 50 })).toBe('400 LIMIT_EXCEEDED');
    expect(await ask(query, { n: 99, m: 50 })).toBe('400 LIMIT_EXCEEDED');
    expect(await ask(query, { n: 98, m: 50 })).toBe(200);
    expect(await ask('query ($k: [String!]!) { some(keys: $k) { name } }', { k: Array(5_000).fill('k') })).toBe(200);
    expect(await ask('query ($k: [String!]!) { some(keys: $k) { name } }', { k: Array(5_001).fill('k') })).toBe(
      '400 LIMIT_EXCEEDED',
    );
    const pages = (first: string) => `{ page { edges { node { page${first} { edges { cursor } } } } } }`;
    expect(await ask(pages('(first: 96)'))).toBe(200); // 1 + 50 × (1 + 1 + 1 + 96)
    expect(await ask(pages(''))).toBe(200);
    expect(await ask(pages('(first: 97)'))).toBe('400 LIMIT_EXCEEDED');
  });

  it('a bomb of fragments, in time linear in its length', async () => {
    const doubling = (leaf: string) =>
      `{ nest { ...F0 } } ${times(60, (at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)} fragment F60 on Query { ${leaf} }`;
    expect(await ask(doubling('a: hello'))).toBe('400 LIMIT_EXCEEDED');
    expect(await ask(doubling('items { name }'))).toBe('400 LIMIT_EXCEEDED');
    expect(await ask(doubling('hello'))).toBe(200);
  });

  it('fragments that spread themselves', async () => {
    expect(await ask('{ ...A } fragment A on Query { nest { ...B } } fragment B on Query { nest { ...A } }')).toMatch(
      'BAD_REQUEST',
    );
    expect(await ask('{ ...A } fragment A on Query { ...A }')).toMatch('BAD_REQUEST');
  });

  it('strings, in the document and in variables', async () => {
    const roomy = await startEdge({ limits: { body: 300_000 } });
    const asked = async (body: object) => outcome(await roomy.post(body));
    const query = 'query ($t: String) { hello(name: $t) }';
    for (const [length, expected] of [
      [65_536, 200],
      [65_537, '400 LIMIT_EXCEEDED'],
    ] as const) {
      const text = 'x'.repeat(length);
      expect(await asked({ query: `{ hello(name: "${text}") }` })).toBe(expected);
      expect(await asked({ query, variables: { t: text } })).toBe(expected);
    }
    expect(await asked({ query, variables: { t: { [`k${'x'.repeat(65_536)}`]: 1 } } })).toBe('400 LIMIT_EXCEEDED');
    await roomy.close();
  });
});

describe('of a request exactly as much is taken as may be sent, and one more is refused', () => {
  const bodyOf = (bytes: number) => {
    const head = '{"query":"{ hello } #';
    return `${head}${'x'.repeat(bytes - head.length - 2)}"}`;
  };

  it('100,000 bytes of a body, and 1,000,000 of somebody who may write', async () => {
    const writer = { authorization: 'Bearer writer' };
    expect(await outcome(await gateway.post(bodyOf(100_000)))).toBe(200);
    expect(await outcome(await gateway.post(bodyOf(100_001)))).toBe('413 LIMIT_EXCEEDED');
    expect(await outcome(await gateway.post(bodyOf(100_001), { authorization: 'Bearer reader' }))).toBe(
      '413 LIMIT_EXCEEDED',
    );
    expect(await outcome(await gateway.post(bodyOf(1_000_000), writer))).toBe(200);
    expect(await outcome(await gateway.post(bodyOf(1_000_001), writer))).toBe('413 LIMIT_EXCEEDED');
  });

  it('256 bytes of Accept', async () => {
    const accept = (bytes: number) => ({ accept: 'application/json;x='.padEnd(bytes, 'a') });
    expect(await outcome(await gateway.post({ query: '{ hello }' }, accept(256)))).toBe(200);
    expect(await outcome(await gateway.post({ query: '{ hello }' }, accept(257)))).toBe('431 LIMIT_EXCEEDED');
  });

  it('1,024 bytes of Authorization, on every route', async () => {
    const authorization = (bytes: number) => ({ authorization: 'Bearer '.padEnd(bytes, 'a') });
    expect(await outcome(await gateway.post({ query: '{ hello }' }, authorization(1_024)))).toBe(200);
    expect(await outcome(await gateway.post({ query: '{ hello }' }, authorization(1_025)))).toBe('431 LIMIT_EXCEEDED');
    const elsewhere = await fetch(`${gateway.url}/livez`, { headers: authorization(1_025) });
    expect(elsewhere.status).toBe(431);
  });

  it('16 KB of headers', async () => {
    const padded = (bytes: number) =>
      raw(`GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-a: ${'a'.repeat(bytes)}\r\n\r\n`);
    expect(await padded(15_000)).toMatch(/^HTTP\/1.1 200 /);
    expect(await padded(17_000)).toMatch(/^HTTP\/1.1 431 .*"code":"LIMIT_EXCEEDED"/s);
  });

  it('one Authorization header', async () => {
    const twice =
      'GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n';
    expect(await raw(twice)).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_REQUEST"/s);
  });

  /** Sends `text` as it is; resolves to all that comes back. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let told = '';
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => {
        told += chunk;
      });
      socket.on('close', () => resolve(told));
      socket.on('error', reject);
    });
  }
});

describe('an answer that does not come in time', () => {
  it('is 503 for a query, which may be tried again', async () => {
    const hasty = await startEdge({ limits: { deadlineMs: 2_000 } });
    const held = holdUp();
    const response = await hasty.post({ query: '{ stuck }' });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await answerOf(response)).toEqual({
      status: 503,
      errors: [
        {
          message: 'There was no answer within 2000 ms; try again, or ask for less.',
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
    held.release();
    await hasty.close();
  });

  it('is 200 with an error for a mutation, which nothing must repeat by itself', async () => {
    const hasty = await startEdge({ limits: { deadlineMs: 2_000 } });
    const held = holdUp();
    const { status, errors } = await answerOf(await hasty.post({ query: 'mutation { stuck }' }));
    expect([status, errors?.[0]?.extensions?.code]).toEqual([200, 'UNAVAILABLE']);
    expect(errors?.[0]?.message).toContain('it may have been written');
    held.release();
    await hasty.close();
  });
});

it('one caller has 5 subscriptions, by token or by address, and the next once one has ended', async () => {
  const open = (token?: string) => follow(gateway.url, 'subscription { endless }', token ? { token } : {});
  const streams = await Promise.all(Array.from({ length: 5 }, () => open('ana')));
  const refused = () =>
    gateway.post({ query: 'subscription { endless }' }, { accept: 'text/event-stream', authorization: 'Bearer ana' });
  expect(await outcome(await refused())).toBe('429 RATE_LIMITED');
  const others = await Promise.all([open('rui'), open()]);
  expect(others.map(({ status }) => status)).toEqual([200, 200]);
  streams[0]?.leave();
  await eventually(async () => {
    const again = await open('ana');
    streams.push(again);
    return again.status === 200;
  });
  for (const { leave } of [...streams, ...others]) leave();
});

describe('what people and programs ask every day is within the limits', () => {
  const documents = { limits: defaultLimits, introspection: true };

  it('every example of GraphiQL', () => {
    const examples = exampleOperations(new Date('2026-03-01T12:00:00Z'));
    checkDocuments(new Map(examples.map(({ title, document }) => [title, document])), schema, documents);
    for (const { document, variables = '{}' } of examples) {
      const tree = parse(document);
      for (const operation of tree.definitions) {
        if (operation.kind !== 'OperationDefinition') continue;
        expect(costOf({ schema, tree, operation, variables: JSON.parse(variables) })).toBeLessThan(1_000);
      }
    }
  });

  it('the question about the schema that GraphiQL asks', async () => {
    const query = getIntrospectionQuery({
      specifiedByUrl: true,
      inputValueDeprecation: true,
      oneOf: true,
      schemaDescription: true,
    });
    expect(validate(edgeSchema, parse(query))).toEqual([]);
    expect(await ask(query)).toBe(200);
  });
});

it('the schema is not told where it is closed, by whatever way is asked', async () => {
  const closed = await startEdge({ production: true });
  const asked = async (query: string) => outcome(await closed.post({ query }));
  expect(await asked(getIntrospectionQuery())).toBe('403 FORBIDDEN');
  expect(await asked('{ hello __type(name: "Query") { name } }')).toBe('403 FORBIDDEN');
  expect(await asked('{ ...A } fragment A on Query { s: __schema { __typename } }')).toBe('403 FORBIDDEN');
  expect(await asked('{ hello __typename }')).toBe(200);
  await closed.close();
});
