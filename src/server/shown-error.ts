// What a client sees of an error while its operation runs: coded errors and its own mistakes in their own words, with a
// code of the contract; everything else as INTERNAL, with the request id under which the log has the rest.

import { GraphQLError } from 'graphql';
import { type Exchange, shownFailure } from './exchange.js';
import { logFailure } from './log.js';
import { withoutValue } from './quoted-value.js';
import { isRefusalCode, refusalOf } from './refusal.js';

export interface ErrorPolicy {
  /** The coded form of an error that a client can act on; undefined for one that stays masked. */
  readonly codedError: (error: unknown) => GraphQLError | undefined;
  /** Whether GraphQL may guess at the name that was meant, and so tell names. */
  readonly suggest: boolean;
}

/**
 * `error` as the client of `exchange` may see it; a failure of ours is logged. An operation that was `executed` may
 * have data beside its errors, and is answered with 200.
 */
export function shownError(error: unknown, exchange: Exchange, executed: boolean, policy: ErrorPolicy): GraphQLError {
  const chain = chainOf(error);
  const coded = policy.codedError(error) ?? error;
  if (coded instanceof GraphQLError && isRefusalCode(coded.extensions.code)) {
    return copy(coded, withoutValue(coded), coded.extensions);
  }
  const refusal = executed ? undefined : chain.map(shownRefusal).find((link) => link !== undefined);
  if (refusal) {
    const http = { status: refusal.status, headers: { ...refusal.headers } };
    return new GraphQLError(refusal.message, { extensions: { code: refusal.code, http } });
  }
  if (error instanceof GraphQLError && isMistake(error, chain.at(-1))) {
    const shown = withoutValue(error);
    const message = policy.suggest ? shown : shown.replace(/ Did you mean .*\?$/s, '');
    const { http } = error.extensions;
    return copy(error, message, { code: 'BAD_REQUEST', ...(http && { http }) });
  }
  logFailure(exchange.logger, exchange.id, chain.at(-1));
  const { message, extensions } = shownFailure(exchange.id);
  return copy(error, message, { ...extensions, ...(!executed && { http: { status: 500 } }) });
}

// Codes that Yoga and its executor give to what a client got wrong.
const mistakes: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
]);

/**
 * Whether GraphQL itself found fault with the request: the error has one of the codes above or the status of a variable
 * that does not fit, or its origin is an error of GraphQL that points at the document, as for a null in a place that
 * takes none. An origin without a place is a resolver's value that does not fit its type, which is our fault.
 */
function isMistake(error: GraphQLError, origin: unknown): boolean {
  if (mistakes.has(error.extensions.code) || error.extensions.http?.status === 400) return true;
  return origin instanceof GraphQLError && origin.extensions.code === undefined && (origin.nodes?.length ?? 0) > 0;
}

/** The refusal that `link` is, if it is one, without a value that it quotes. */
function shownRefusal(link: unknown) {
  const refusal = refusalOf(link);
  if (!refusal) return undefined;
  const { code, status, headers, message } = refusal;
  return { code, status, headers, message: link instanceof GraphQLError ? withoutValue(link) : message };
}

/** GraphQL quotes names, however long they are. */
const maxChars = 1_000;

/** The error and what it was made from, the origin last. */
function chainOf(error: unknown): unknown[] {
  const chain = [error];
  for (let link = error; link instanceof GraphQLError && link.originalError; link = link.originalError) {
    chain.push(link.originalError);
  }
  return chain;
}

function copy(error: unknown, whole: string, extensions: Record<string, unknown>): GraphQLError {
  const message = whole.length > maxChars ? `${whole.slice(0, maxChars)}…` : whole;
  if (!(error instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes, source, positions, path } = error;
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions,
  });
}
