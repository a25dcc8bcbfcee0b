// Whatever comes over HTTP, the answer is the client's fault or an answer: never ours.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isBusy, type PlainAnswer, requireCoded, requireDecent } from './answer.js';
import { type Claim, claim } from './claim.js';
import { knownSchema } from './document-claims.js';
import { documentsOf, hurtDocumentsOf } from './documents.js';
import { exchange, sendings } from './framing.js';
import type { Site } from './site.js';
import { hostileText, jsonWith } from './texts.js';

/** Connections at work at once. */
export const TOGETHER = 48;

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const headers = fc.record(
  {
    accept: fc.oneof(
      printable,
      fc.constantFrom('*/*', 'text/event-stream', 'application/graphql-response+json', 'text/html', ',,,;q='),
    ),
    authorization: fc.oneof(
      printable,
      printable.map((rest) => `Bearer ${rest}`),
      fc.constant('Basic Og=='),
    ),
    'content-type': fc.oneof(
      printable,
      fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain'),
    ),
    'content-encoding': fc.oneof(printable, fc.constant('identity')),
    origin: fc.oneof(printable, fc.constantFrom('null', 'https://app.example.com')),
    'x-forwarded-for': printable,
    'x-api-key': printable,
    'x-environment': printable,
    'x-cache-trace': fc.constantFrom('1', '0'),
    'if-none-match': printable,
  },
  { requiredKeys: [] },
);
const inUrl = (text: string) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, ''));
const paths = fc.oneof(
  fc.constantFrom(
    '/graphql',
    '/graphql',
    '/introspect',
    '/ofrep/v1/evaluate/flags',
    '/readyz',
    '/inspect',
    '/warm',
    '/verify',
  ),
  fc.webPath(),
  hostileText.map((query) => `/graphql?query=${inUrl(query)}`),
  hostileText.map((key) => `/ofrep/v1/evaluate/flags/${inUrl(key)}`),
  hostileText.map((name) => `/environments/${inUrl(name)}/ofrep/v1/evaluate/flags`),
);

/** What can be claimed of a gateway that runs. */
export function edgeClaims({ url, port, callers, failures, busy }: Site): readonly Claim[] {
  const ask = async (path: string, init: RequestInit): Promise<PlainAnswer> => {
    const response = await fetch(url + path, { redirect: 'manual', ...init });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (isStream) await response.body?.cancel();
    return { status: response.status, headers: new Map(response.headers), body: isStream ? '' : await response.text() };
  };
  const judge = (answer: PlainAnswer, method = 'POST') => {
    if (isBusy(answer)) return busy();
    if (method !== 'HEAD') requireDecent(answer);
    assert(answer.status < 500);
    assert.deepEqual(failures(), []);
  };
  const bearing = (caller: number) =>
    callers[caller] === undefined ? {} : { authorization: `Bearer ${callers[caller]}` };
  const documents = fc.oneof(
    { weight: 2, arbitrary: documentsOf(knownSchema) },
    { weight: 1, arbitrary: hurtDocumentsOf(knownSchema) },
  );

  return [
    claim(
      'whatever the headers, the method and the body',
      fc.asyncProperty(
        fc.constantFrom('POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH'),
        paths,
        headers,
        fc.oneof(
          hostileText,
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        async (method, path, given, body) => {
          const sent = method === 'GET' || method === 'HEAD' ? {} : { body };
          judge(await ask(path, { method, headers: given, ...sent }), method);
        },
      ),
    ),
    claim(
      'whatever stands in the parameters of a request',
      fc.asyncProperty(
        fc.record(
          Object.fromEntries(
            ['query', 'variables', 'operationName', 'extensions', 'documentId', 'x'].map((name) => [
              name,
              fc.oneof(hostileText, jsonWith('persistedQuery', 'sha256Hash', 'query', '__proto__', 'key')),
            ]),
          ),
          { requiredKeys: [] },
        ),
        async (body) => {
          const json = { 'content-type': 'application/json' };
          judge(await ask('/graphql', { method: 'POST', headers: json, body: JSON.stringify(body) }));
          const search = Object.entries(body).map(([name, part]): [string, string] => [
            name,
            typeof part === 'string' ? part.replace(/\p{Surrogate}/gu, '') : (JSON.stringify(part) ?? ''),
          ]);
          judge(await ask(`/graphql?${new URLSearchParams(search)}`, { method: 'GET' }));
        },
      ),
    ),
    claim(
      'whatever the document, its fields and arguments, for nobody, a reader and an administrator',
      fc.asyncProperty(
        documents,
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), jsonWith('key', 'items'), { maxKeys: 3 }),
        fc.nat({ max: callers.length - 1 }),
        async (query, variables, caller) => {
          const accept = 'application/json, text/event-stream;q=0.1';
          const body = JSON.stringify({ query, variables });
          const given = { 'content-type': 'application/json', accept, ...bearing(caller) };
          const answer = await ask('/graphql', { method: 'POST', headers: given, body });
          judge(answer);
          requireCoded(answer);
        },
      ),
    ),
    claim(
      'whatever a client of flags or of introspection sends',
      fc.asyncProperty(
        jsonWith('context', 'targetingKey', 'email', 'user', '__proto__'),
        fc.constantFrom('checkout-button', 'nope', ''),
        fc.nat({ max: callers.length - 1 }),
        hostileText,
        async (context, key, caller, token) => {
          const given = bearing(caller);
          const path = `/ofrep/v1/evaluate/flags${key && `/${key}`}`;
          const json = { ...given, 'content-type': 'application/json' };
          judge(await ask(path, { method: 'POST', headers: json, body: JSON.stringify(context) ?? '' }));
          judge(await ask(path, { method: 'POST', headers: json, body: JSON.stringify({ context }) }));
          const form = new URLSearchParams({ token: token.replace(/\p{Surrogate}/gu, '') });
          judge(await ask('/introspect', { method: 'POST', headers: given, body: form }));
        },
      ),
    ),
    claim(
      'whatever bytes come in place of requests, however they are framed',
      fc.asyncProperty(fc.array(sendings, { minLength: TOGETHER, maxLength: TOGETHER }), async (all) => {
        for (const { answers, rest } of await Promise.all(all.map((sending) => exchange(port, sending)))) {
          for (const answer of answers) judge(answer);
          assert.match(rest, /^(?:HTTP\/1\.1 [1234]\d\d |$)/, 'one answer begins where the other ends');
          assert(!/HTTP\/1\.1 [45]/.test(rest.slice(1)), 'no answer begins inside of another');
        }
      }),
    ),
  ];
}
