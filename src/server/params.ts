// The GraphQL request in an HTTP request: one document, its variables and the name of the operation to run, of the right
// form, no deeper than the recursive code behind can go, and of text that can be stored.

import type { JsonBody } from './body.js';
import type { Limits } from './limits.js';
import { Refusal } from './refusal.js';
import { mayEscapeUnstorable, unstorableIn, unstorableWithin } from './storable.js';
import { longStringIn } from './string-length.js';

export interface Params {
  query?: string;
  /** Of the document: SHA-256 in hex, `sha256:` may stand before it. */
  hash?: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  extensions?: Record<string, unknown>;
}

const maxLevels = 64; // a menu of twelve levels takes 27; custom JSON up to 32

/** The parameters in the body of a POST request. @throws {Refusal} when there is fault with it. */
export function postedParams({ value: body, text }: JsonBody, { string: maxChars }: Limits): Params {
  if (Array.isArray(body)) {
    throw new Refusal('BAD_REQUEST', 'Send one operation in each request; batches are not supported.');
  }
  if (!isRecord(body)) throw new Refusal('BAD_REQUEST', 'The body must be an object, {"query": "…"}.');
  const params = checked(body);
  const long = text.length > maxChars ? longStringIn(params.variables, 'variables', maxChars) : undefined;
  if (long) throw new Refusal('LIMIT_EXCEEDED', long, { status: 400 });
  return mayEscapeUnstorable(text) ? storable(params) : params;
}

/** The parameters in the query of a URL. @throws {Refusal} when there is fault with it. */
export function urlParams(search: string): Params {
  const given = new URLSearchParams(search);
  const json = (name: string) => {
    const text = given.get(name);
    if (text === null || text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new Refusal('BAD_REQUEST', `${name} in the URL is not JSON; write an object, URL-encoded.`, { cause });
    }
  };
  return storable(
    checked({
      query: given.get('query') ?? undefined,
      operationName: given.get('operationName') || undefined,
      variables: json('variables'),
      extensions: json('extensions'),
      documentId: given.get('documentId') ?? undefined,
    }),
  );
}

function checked(body: Record<string, unknown>): Params {
  const { query, operationName, variables, extensions, documentId, ...rest } = body;
  const [surplus] = Object.keys(rest);
  if (surplus !== undefined) {
    throw new Refusal('BAD_REQUEST', 'Send only query or documentId, variables, operationName and extensions.');
  }
  const params: Params = {};
  if (query !== undefined && query !== null) {
    if (typeof query !== 'string' || query === '')
      throw new Refusal('BAD_REQUEST', 'query must be a GraphQL document.');
    params.query = query;
  }
  if (operationName !== undefined && operationName !== null) {
    if (typeof operationName !== 'string') throw new Refusal('BAD_REQUEST', 'operationName must be a string.');
    params.operationName = operationName;
  }
  if (variables !== undefined && variables !== null) params.variables = checkedObject('variables', variables);
  if (extensions !== undefined && extensions !== null) params.extensions = checkedObject('extensions', extensions);
  const hash = documentId ?? hashIn(params.extensions);
  if (hash !== undefined && hash !== null) params.hash = checkedHash(hash);
  return params;
}

/** As Apollo's clients send it. */
function hashIn(extensions: Record<string, unknown> | undefined): unknown {
  const { persistedQuery } = extensions ?? {};
  return isRecord(persistedQuery) ? persistedQuery.sha256Hash : undefined;
}

function checkedHash(hash: unknown): string {
  if (typeof hash === 'string' && /^(sha256:)?[0-9a-f]{64}$/i.test(hash)) return hash;
  throw new Refusal('BAD_REQUEST', 'The hash of a document must be its SHA-256: 64 hex digits.');
}

// The document is looked through when it is parsed, where a place can be given as line and column.
function storable(params: Params): Params {
  const fault =
    unstorableWithin(params.variables, 'variables') ?? unstorableIn(params.operationName ?? '', 'operationName');
  if (fault) throw new Refusal('BAD_REQUEST', fault.sentence);
  return params;
}

function checkedObject(name: string, value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Refusal('BAD_REQUEST', `${name} must be an object.`);
  if (deeperThan(value, maxLevels)) {
    throw new Refusal('BAD_REQUEST', `${name} must not be nested deeper than ${maxLevels} levels.`);
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => deeperThan(member, levels - 1));
}
