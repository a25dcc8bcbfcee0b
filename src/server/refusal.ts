// Requests that the edge turns down, each with a status, a code of the contract and a sentence. Nothing else that is
// thrown reaches a client in its own words.

import { GraphQLError } from 'graphql';

export type RefusalCode =
  | 'BAD_REQUEST'
  | 'LIMIT_EXCEEDED'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'CACHE_UNREACHABLE'
  | 'UNAVAILABLE'
  | 'OVERLOADED'
  | 'NOT_FOUND';

export interface RefusalOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The request cannot be served; the sentence says why and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RefusalCode, message: string, { status, headers, cause }: RefusalOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.status = status ?? answerOf[code].status;
    this.headers = { ...answerOf[code].headers, ...headers };
  }
}

/** The refusal that `error` stands for, when it is one or carries a code of the contract; else undefined. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Error)) return undefined;
  const code = error instanceof GraphQLError ? error.extensions.code : 'code' in error && error.code;
  return isRefusalCode(code) ? new Refusal(code, error.message, { cause: error }) : undefined;
}

/** Whether `code` is one that clients may rely on. */
export function isRefusalCode(code: unknown): code is RefusalCode {
  return typeof code === 'string' && Object.hasOwn(answerOf, code);
}

const retry = { 'retry-after': '1' };

const answerOf: Readonly<Record<RefusalCode, { status: number; headers: Readonly<Record<string, string>> }>> = {
  BAD_REQUEST: { status: 400, headers: {} },
  LIMIT_EXCEEDED: { status: 413, headers: {} },
  UNAUTHENTICATED: { status: 401, headers: { 'www-authenticate': 'Bearer' } },
  FORBIDDEN: { status: 403, headers: {} },
  RATE_LIMITED: { status: 429, headers: retry },
  CACHE_UNREACHABLE: { status: 503, headers: retry },
  UNAVAILABLE: { status: 503, headers: retry },
  OVERLOADED: { status: 503, headers: retry },
  NOT_FOUND: { status: 404, headers: {} },
};
