// Evaluations for clients of the OpenFeature Remote Evaluation Protocol: the same definitions and rights as in GraphQL.
// The application keeps its default to itself, so there is none here; a type is the provider's to compare.
import type { Context } from './context.js';
import { type Evaluation, evaluateAll, evaluateEach } from './flag-evaluation.js';
import { isObject } from './flag-targeting.js';
import { type JsonObject, jsonFault } from './json-limits.js';

interface Failure {
  readonly errorCode: string;
  readonly errorDetails: string;
}

/** Evaluations under the caller's rights, as the protocol asks for them. What neither store can answer is thrown. */
export const remoteFlags = {
  /** One flag. One of an environment that the caller may not evaluate is a missing one. */
  async evaluate(ctx: Context, environment: string, key: string, given: unknown): Promise<Evaluation> {
    const context = contextOf(given);
    if ('errorCode' in context) return refused(key, context);
    const [evaluation] = await evaluateEach(ctx, { environment, context: context.taken }, [key], null);
    return evaluation ? marked(evaluation) : refused(key, missing(environment));
  },

  /** All flags of an environment by key; a failure where the caller may evaluate no such environment. */
  async evaluateAll(ctx: Context, environment: string, given: unknown): Promise<readonly Evaluation[] | Failure> {
    const context = contextOf(given);
    if ('errorCode' in context) return context;
    const evaluations = await evaluateAll(ctx, { environment, context: context.taken });
    return evaluations?.map(marked) ?? missing(environment);
  },
};

/** OpenFeature's word for an answer that neither store can vouch for. */
const marked = (evaluation: Evaluation): Evaluation =>
  evaluation.stale && evaluation.errorCode === null ? { ...evaluation, reason: 'STALE' } : evaluation;

function contextOf(given: unknown): { readonly taken: JsonObject } | Failure {
  const context = given ?? {};
  const fault = isContext(context) ? jsonFault(context) : 'is no object; send one such as {"targetingKey": "ana"}';
  if (fault === undefined && isContext(context)) return { taken: context };
  return { errorCode: 'INVALID_CONTEXT', errorDetails: `The context ${fault}.` };
}

const isContext = (value: unknown): value is JsonObject => isObject(value);

const missing = (environment: string): Failure => ({
  errorCode: 'FLAG_NOT_FOUND',
  errorDetails: `There is no environment ${JSON.stringify(environment.slice(0, 100))} that you may evaluate.`,
});

const refused = (key: string, { errorCode, errorDetails }: Failure): Evaluation => ({
  key,
  value: null,
  variant: null,
  reason: 'ERROR',
  errorCode,
  errorMessage: errorDetails,
  metadata: {},
  version: null,
  stale: false,
});
