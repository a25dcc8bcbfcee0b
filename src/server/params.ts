// The GraphQL request in an HTTP request: one document, its variables and the name of the operation to run, of the right
// form, no deeper than the recursive code behind can go, and of text that can be stored.

import type { IncomingMessage } from 'node:http';
import { readJson } from './body.js';
import { Refusal } from './refusal.js';
import { mayEscapeUnstorable, unstorableIn, unstorableWithin } from './storable.js';

export interface Params {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  extensions?: Record<string, unknown>;
}

const maxLevels = 64; // a menu of twelve levels takes 27; custom JSON up to 32

/** The parameters in the body of a POST request. @throws {Refusal} when there is fault with it. */
export async function postedParams(request: IncomingMessage, maxBytes: number): Promise<Params> {
  const { value: body, text } = await readJson(request, maxBytes);
  if (Array.isArray(body)) {
    throw new Refusal('BAD_REQUEST', 'Send one operation in each request; batches are not supported.');
  }
  if (!isRecord(body)) throw new Refusal('BAD_REQUEST', 'The body must be an object, {"query": "…"}.');
  return mayEscapeUnstorable(text) ? storable(checked(body)) : checked(body);
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
    }),
  );
}

function checked({ query, operationName, variables, extensions, ...rest }: Record<string, unknown>): Params {
  const [surplus] = Object.keys(rest);
  if (surplus !== undefined) {
    throw new Refusal('BAD_REQUEST', 'Send only query, variables, operationName and extensions.');
  }
  if (typeof query !== 'string' || query === '') throw new Refusal('BAD_REQUEST', 'query must be a GraphQL document.');
  const params: Params = { query };
  if (operationName !== undefined && operationName !== null) {
    if (typeof operationName !== 'string') throw new Refusal('BAD_REQUEST', 'operationName must be a string.');
    params.operationName = operationName;
  }
  if (variables !== undefined && variables !== null) params.variables = checkedObject('variables', variables);
  if (extensions !== undefined && extensions !== null) params.extensions = checkedObject('extensions', extensions);
  return params;
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
