// What a request of the OpenFeature Remote Evaluation Protocol asks for: the protocol knows flags but no environments, so
// the environment stands before its path, or in a header.

import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.js';

export interface OfrepAddress {
  readonly environment: string;
  /** Left out, all flags of the environment. */
  readonly key: string | undefined;
}

/** Where neither the path nor a header names one. */
export const DEFAULT_ENVIRONMENT = 'production';

const PATH = /^(?:\/environments\/([^/]+))?\/ofrep\/v1\/evaluate\/flags(?:\/(.*))?$/s;

/**
 * What is asked for: `/environments/{environment}` before the protocol's path, else the header `x-environment`, else
 * production. Undefined for a path that the protocol does not have.
 * @throws {Refusal} when the path is not URL-encoded UTF-8, or path and header name different environments.
 */
export function ofrepAddressOf(path: string, headers: IncomingHttpHeaders): OfrepAddress | undefined {
  const [found, before, after] = PATH.exec(path) ?? [];
  if (found === undefined) return undefined;
  const inPath = before === undefined ? undefined : decoded(before);
  const { 'x-environment': header } = headers;
  const inHeader = typeof header === 'string' && header !== '' ? header : undefined;
  if (inPath !== undefined && inHeader !== undefined && inPath !== inHeader) {
    throw new Refusal(
      'BAD_REQUEST',
      'The path and the header x-environment name different environments; leave one out.',
    );
  }
  // A provider may leave the slashes of a key as they are.
  return {
    environment: inPath ?? inHeader ?? DEFAULT_ENVIRONMENT,
    key: after === undefined ? undefined : decoded(after),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Refusal('BAD_REQUEST', 'The path is not URL-encoded UTF-8; encode the key of the flag.', { cause });
  }
}
