import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, type Gateway, sendChunks, startGateway, watchEndless } from './gateway.js';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const codeOf = async (response: Response) => {
  const { status, errors } = await answerOf(response);
  return [status, errors?.[0]?.extensions?.code];
};

describe('a GraphQL request', () => {
  it('is answered by POST with JSON', async () => {
    const body = { query: 'query($name: String!) { hello(name: $name) }', variables: { name: 'Ana' } };
    expect(await answerOf(await gateway.post(body))).toEqual({ status: 200, data: { hello: 'Hello Ana' } });
  });

  it('is answered by GET, its variables in the URL', async () => {
    const response = await gateway.get({ query: 'query Q($n: String!) { hello(name: $n) }', variables: '{"n":"Rui"}' });
    expect(await answerOf(response)).toEqual({ status: 200, data: { hello: 'Hello Rui' } });
  });

  it('tells its context whether it was posted', async () => {
    expect(await answerOf(await gateway.get({ query: '{ caller }' }))).toMatchObject({ data: { caller: 'getter' } });
    expect(await gateway.query('{ caller }')).toMatchObject({ data: { caller: 'poster' } });
  });

  it('may hold any character that can be stored, escaped or not', async () => {
    const text = 'é 😀 \u0001 \\u0000';
    const query = 'query($name: String!) { hello(name: $name) }';
    const escaped = JSON.stringify({ query, variables: { name: text } }).replaceAll('😀', '\\ud83d\\ude00');
    expect(await answerOf(await gateway.post(escaped))).toMatchObject({ data: { hello: `Hello ${text}` } });
    const literal = '{ hello(name: "\\uD83D\\uDE00 \\u{1F600} \\\\u0000") }';
    expect(await gateway.query(literal)).toMatchObject({ data: { hello: 'Hello 😀 😀 \\u0000' } });
    expect(await gateway.query('{ hello(name: """\\u0000""") }')).toMatchObject({ data: { hello: 'Hello \\u0000' } });
  });

  it('runs the operation that it names', async () => {
    const body = { query: 'query A { caller } query B { hello }', operationName: 'B' };
    expect(await answerOf(await gateway.post(body))).toMatchObject({ data: { hello: 'Hello you' } });
  });

  it('is answered as application/graphql-response+json where the client prefers that', async () => {
    const accept = 'application/json;q=0.5, application/graphql-response+json';
    const response = await gateway.post({ query: '{ caller }' }, { accept });
    expect(response.headers.get('content-type')).toBe('application/graphql-response+json; charset=utf-8');
  });

  it('streams a subscription as server-sent events', async () => {
    const response = await gateway.post({ query: 'subscription { ticks }' }, { accept: 'text/event-stream' });
    const text = await response.text();
    expect(text).toContain('data: {"data":{"ticks":1}}');
    expect(text).toContain('data: {"data":{"ticks":2}}');
    expect(text).toContain('event: complete');
  });

  it('ends a subscription when its client leaves', async () => {
    const left = watchEndless();
    const leaving = new AbortController();
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { endless }' }),
      signal: leaving.signal,
    });
    await response.body?.getReader().read();
    leaving.abort();
    await left;
  });
});

describe('refused with 4xx, a code and a sentence', () => {
  it.each([
    ['a form', 'application/x-www-form-urlencoded'],
    ['a multipart form', 'multipart/form-data; boundary=x'],
    ['plain text', 'text/plain'],
    ['a bare document', 'application/graphql'],
    ['JSON in another charset', 'application/json; charset=latin1'],
  ])('%s', async (_, type) => {
    expect(await codeOf(await gateway.post({ query: '{ caller }' }, { 'content-type': type }))).toEqual([
      415,
      'BAD_REQUEST',
    ]);
  });

  it('a compressed body', async () => {
    expect(await codeOf(await gateway.post('x', { 'content-encoding': 'gzip' }))).toEqual([415, 'BAD_REQUEST']);
  });

  it.each([
    ['what is not JSON', '{"query": '],
    ['a list of operations', '[{"query": "{ caller }"}]'],
    ['a number', '1'],
    ['nothing', ''],
    ['no document', '{}'],
    ['a document that is no string', '{"query": 1}'],
    ['variables that are no object', '{"query": "{ caller }", "variables": "x"}'],
    ['extensions that are a list', '{"query": "{ caller }", "extensions": []}'],
    ['an operation name that is no string', '{"query": "{ caller }", "operationName": {}}'],
    ['a parameter that we do not know', '{"query": "{ caller }", "id": 1}'],
    ['a body nested 40,000 deep', `{"query":${'['.repeat(40_000)}${']'.repeat(40_000)}}`],
    [
      'variables nested 5,000 deep',
      `{"query":"{ caller }","variables":{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
    ],
  ])('%s', async (_, body) => {
    expect(await codeOf(await gateway.post(body))).toEqual([400, 'BAD_REQUEST']);
  });

  const NUL = '\0';
  const lone = '\ud800';
  it.each<[string, object, string]>([
    ['a variable', { query: '{ caller }', variables: { x: `a${NUL}` } }, 'variables.x holds U+0000, which'],
    [
      'a variable, deep inside',
      { query: '{ caller }', variables: { input: { items: [{ label: 'a' }, { label: `x${lone}` }] } } },
      'variables.input.items[1].label holds U+D800, half of a surrogate pair, which',
    ],
    [
      'a name in a variable',
      { query: '{ caller }', variables: { input: { '\udfff!': 1 } } },
      'variables.input["\\udfff!"] holds U+DFFF',
    ],
    ['the name of an operation', { query: '{ caller }', operationName: `A${NUL}` }, 'operationName holds U+0000'],
    ['a comment of a document', { query: `{ caller } # ${NUL}` }, 'query holds U+0000'],
    ['a block string', { query: `{ hello(name: """${lone}""") }` }, 'query holds U+D800'],
    ['an escape in an argument', { query: '{ hello(name: "\\u0000") }' }, 'name holds U+0000'],
    ['an escape with braces', { query: '{ hello(name: "\\u{0}") }' }, 'name holds U+0000'],
    [
      'an escape inside of an argument',
      { query: '{ hello(name: {a: [{b: 1}, {b: "\\u0000"}]}) }' },
      'name.a[1].b holds U+0000',
    ],
    ['the default of a variable', { query: 'query ($n: String! = "\\u0000") { hello(name: $n) }' }, '$n holds U+0000'],
  ])('a character that cannot be stored in %s, naming the place', async (_, body, sentence) => {
    const { status, errors, data } = await answerOf(await gateway.post(body));
    expect([status, errors?.[0]?.extensions?.code, data]).toEqual([400, 'BAD_REQUEST', undefined]);
    expect(errors?.[0]?.message).toContain(sentence);
  });

  it('such a character in a document, with its line and column', async () => {
    const { errors } = await gateway.query('{\n  hello(name: "\\u0000")\n}');
    expect(errors?.[0]?.message).toBe('Line 2, column 15: name holds U+0000, which cannot be stored; leave it out.');
  });

  it('such a character in the variables of a URL', async () => {
    const query = 'query ($n: String!) { hello(name: $n) }';
    expect(await codeOf(await gateway.get({ query, variables: '{"n":"\\u0000"}' }))).toEqual([400, 'BAD_REQUEST']);
    expect(await codeOf(await gateway.get({ query: `{ caller } #${NUL}` }))).toEqual([400, 'BAD_REQUEST']);
  });

  it('bytes that are not UTF-8', async () => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    });
    expect(await codeOf(response)).toEqual([400, 'BAD_REQUEST']);
  });

  it.each(['variables', 'extensions'])('GET with malformed JSON in %s', async (name) => {
    const response = await gateway.get({ query: '{ caller }', [name]: '{"x":' });
    expect(await codeOf(response)).toEqual([400, 'BAD_REQUEST']);
  });

  it.each([
    ['fields', (depth: number) => `${'{ nest '.repeat(depth)}{ caller }${'}'.repeat(depth)}`],
    ['a list value', (depth: number) => `{ hello(name: ${'['.repeat(depth)}${']'.repeat(depth)}) }`],
    ['unclosed braces', (depth: number) => '{ nest '.repeat(depth)],
  ])('a document of %s nested deep', async (_, nested) => {
    expect(await codeOf(await gateway.post({ query: nested(100) }))).toEqual([400, 'BAD_REQUEST']);
    expect(await codeOf(await gateway.post({ query: nested(10_000) }))).toEqual([400, 'BAD_REQUEST']);
  });

  it('a document of many fields', async () => {
    const { status, errors } = await gateway.query(`{ ${'caller '.repeat(6_000)} }`);
    expect([status, errors?.[0]?.extensions?.code]).toEqual([400, 'LIMIT_EXCEEDED']);
  });

  it('a body that announces too many bytes', async () => {
    const response = await gateway.post({ query: `{ caller } #${'x'.repeat(200_000)}` });
    expect(await codeOf(response)).toEqual([413, 'LIMIT_EXCEEDED']);
  });

  it('a body that sends too many bytes without announcing them', async () => {
    const chunk = 'x'.repeat(10_000);
    expect(await sendChunks(gateway.url, ['{"query":"{ caller } #', ...Array(20).fill(chunk), '"}'])).toBe(413);
    expect(await sendChunks(gateway.url, ['{"query":"{ caller } #', chunk, '"}'])).toBe(200);
  });

  it('an Accept header of many commas, which would come back many times over', async () => {
    const response = await gateway.post({ query: '{ caller }' }, { accept: ','.repeat(300) });
    expect(await codeOf(response)).toEqual([431, 'LIMIT_EXCEEDED']);
  });

  it('an Accept header that names no form of ours', async () => {
    expect(await codeOf(await gateway.post({ query: '{ caller }' }, { accept: 'image/png' }))).toEqual([
      406,
      'BAD_REQUEST',
    ]);
  });

  it('a mutation by GET', async () => {
    expect(await codeOf(await gateway.get({ query: 'mutation { rename(label: "x") }' }))).toEqual([405, 'BAD_REQUEST']);
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'HEAD'])('%s', async (method) => {
    const response = await fetch(`${gateway.url}/graphql`, { method, headers: { origin: 'https://evil.example' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('allows no foreign origin', async () => {
  const response = await gateway.post({ query: '{ caller }' }, { origin: 'https://evil.example' });
  expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
});
