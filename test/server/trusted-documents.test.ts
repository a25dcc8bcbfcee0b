// Which documents run: in production those that a team has published, by their hash; and which answers to them may be kept.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifest, UnusableManifest } from '../../src/server/index.js';
import { startEdge } from './edge-schema.js';
import { answerOf, type Gateway, startGateway } from './gateway.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hello = 'query Hello($name: String) { hello(name: $name) }';
const rename = 'mutation Rename { rename(name: "x") }';
const broken = 'query Broken { stuck hello nest { nope: items { name } } }';
const texts = [hello, rename, broken];
const simple = JSON.stringify(Object.fromEntries(texts.map((text) => [sha256(text), text])));

const outcome = async (response: Response) => {
  const { status, errors } = await answerOf(response);
  return errors?.[0] ? `${status} ${errors[0].extensions?.code}` : status;
};

describe('a manifest', () => {
  it('is an object of texts by hash, or one of Apollo', () => {
    const apollo = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: texts.map((body) => ({ id: sha256(body), name: 'x', type: 'query', body })),
    };
    const expected = new Map(texts.map((text) => [sha256(text), text]));
    expect(readManifest(simple)).toEqual(expected);
    expect(readManifest(JSON.stringify(apollo))).toEqual(expected);
    expect(readManifest(JSON.stringify({ [`sha256:${sha256(hello).toUpperCase()}`]: hello })).get(sha256(hello))).toBe(
      hello,
    );
  });

  it.each([
    ['what is no JSON', '{', 'is not JSON'],
    ['a list', '[]', 'unknown form'],
    ['a text that is none', '{"a": 1}', 'unknown form'],
    [
      'another hash',
      JSON.stringify({ abc: hello, def: hello }),
      'faults:\n- "abc": this is not the SHA-256 of its text; make the manifest anew.\n- "def"',
    ],
  ])('is refused when it is %s', (_, text, sentence) => {
    expect(() => readManifest(text)).toThrow(UnusableManifest);
    expect(() => readManifest(text)).toThrow(sentence);
  });

  it('is refused at the start when a document does not fit the schema, or could not run', async () => {
    const deep = `{ ${'nest { '.repeat(13)} hello ${'}'.repeat(13)} }`;
    const documents = ['{ cat }', deep, '{'].map((text) => [sha256(text), text] as const);
    const started = startEdge({ trusted: new Map(documents) });
    await expect(started).rejects.toThrow(
      /Cannot query field "cat".*\n.*nests fields deeper than 12.*\n.*Syntax Error/,
    );
  });
});

describe('where only trusted documents run', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startEdge({ trusted: readManifest(simple), trustedOnly: true, production: true });
  });
  afterAll(() => gateway.close());
  const post = async (body: object, headers = {}) => outcome(await gateway.post(body, headers));
  const persisted = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });

  it('they run by their hash, in any form that clients send it, and by their text', async () => {
    expect(await post({ extensions: persisted(hello) })).toBe(200);
    expect(await post({ documentId: sha256(hello) })).toBe(200);
    expect(await post({ documentId: `sha256:${sha256(hello)}`, variables: { name: 'Ana' } })).toBe(200);
    expect(await post({ query: hello })).toBe(200);
    expect(await post({ query: hello, extensions: persisted(hello) })).toBe(200);
    expect(await outcome(await gateway.get({ documentId: sha256(hello) }))).toBe(200);
    expect(await outcome(await gateway.get({ extensions: JSON.stringify(persisted(hello)) }))).toBe(200);
  });

  it('others do not, but for callers who may send their own', async () => {
    const free = { authorization: 'Bearer free' };
    expect(await post({ query: '{ hello }' })).toBe('403 FORBIDDEN');
    expect(await post({ query: '{ hello }', extensions: persisted('{ hello }') })).toBe('403 FORBIDDEN');
    expect(await post({ query: '{ hello }' }, { authorization: 'Bearer ana' })).toBe('403 FORBIDDEN');
    expect(await post({ query: '{ hello }' }, free)).toBe(200);
  });

  it.each([
    ['an unknown hash', { documentId: sha256('x') }, '404 NOT_FOUND'],
    ['what is no hash', { documentId: 'abc' }, '400 BAD_REQUEST'],
    ['a hash that is no text', { extensions: { persistedQuery: { sha256Hash: 1 } } }, '400 BAD_REQUEST'],
    ['the hash of another text', { query: hello, documentId: sha256(rename) }, '400 BAD_REQUEST'],
    ['neither text nor hash', {}, '400 BAD_REQUEST'],
  ])('%s is refused', async (_, body, expected) => {
    expect(await post(body)).toBe(expected);
  });

  it('mutations run by POST alone', async () => {
    expect(await post({ documentId: sha256(rename) })).toBe(200);
    expect(await outcome(await gateway.get({ documentId: sha256(rename) }))).toBe('405 BAD_REQUEST');
  });
});

describe('an answer may be kept outside', () => {
  let gateway: Gateway;
  let maxAgeSeconds = 7;
  beforeAll(async () => {
    gateway = await startEdge({
      trusted: readManifest(simple),
      keepingOf: ({ name }) => ({ maxAgeSeconds, shared: name === 'nobody' }),
    });
  });
  afterAll(() => gateway.close());
  const get = (headers = {}) => gateway.get({ documentId: sha256(hello) }, headers);

  it('when a document was named by its hash in a GET, for as long as what was read allows, by all or by its caller', async () => {
    expect((await get()).headers.get('cache-control')).toBe('public, max-age=7, must-revalidate');
    expect((await get({ authorization: 'Bearer ana' })).headers.get('cache-control')).toBe(
      'private, max-age=7, must-revalidate',
    );
    expect((await get()).headers.get('vary')).toContain('authorization');
    maxAgeSeconds = 0;
    expect((await get()).headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
  });

  it('and is not sent again to who has it', async () => {
    const tag = (await get()).headers.get('etag') ?? '';
    for (const condition of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const again = await get({ 'if-none-match': condition });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
    }
    expect((await get({ 'if-none-match': '"x"' })).status).toBe(200);
    const other = await gateway.get(
      { documentId: sha256(hello), variables: '{"name":"Ana"}' },
      { 'if-none-match': tag },
    );
    expect(other.status).toBe(200);
  });

  it.each([
    ['by POST', () => gateway.post({ documentId: sha256(hello) })],
    ['with the document in the URL', () => gateway.get({ query: hello })],
    ['with a trace', () => get({ 'x-cache-trace': '1' })],
    ['with an error', () => gateway.get({ documentId: sha256(broken), operationName: 'Nope' })],
    ['refused', () => gateway.get({ documentId: sha256('x') })],
  ])('but not %s', async (_, ask) => {
    const { headers } = await ask();
    expect([headers.get('cache-control'), headers.get('etag')]).toEqual(['no-store', null]);
  });

  it('but not with an error of a field', async () => {
    const text = 'query B { caller broken }';
    const other = await startGateway({ trusted: new Map([[sha256(text), text]]) });
    const response = await other.get({ documentId: sha256(text) });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    await other.close();
  });
});
