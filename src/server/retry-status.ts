// A query of which nothing could be answered is refused as a whole, with a status that tells programs and proxies to try
// again; with anything to show it is an answer like any other.

import type { ExecutionResult } from 'graphql';
import { type RefusalCode, refusalOf } from './refusal.js';

/** What passes by itself, so that the same query may succeed in a moment. */
const passing: ReadonlySet<unknown> = new Set<RefusalCode>(['OVERLOADED', 'UNAVAILABLE', 'CACHE_UNREACHABLE']);

/** The executed `result`, with the status and headers of its failure where failures that pass are all that it holds. */
export function withRetryStatus<Result extends ExecutionResult>(result: Result): Result {
  const { data, errors = [], extensions } = result;
  const failure = refusalOf(errors[0]);
  if (!failure || !errors.every((error) => passing.has(error.extensions.code))) return result;
  const failed = new Set(errors.map(({ path }) => path?.[0]));
  const answered = Object.entries(data ?? {}).some(([field, value]) => value !== null || !failed.has(field));
  if (answered) return result;
  const { status, headers } = failure;
  return { ...result, extensions: { ...extensions, http: { status, headers: { ...headers } } } };
}
