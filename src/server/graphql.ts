// Runs a GraphQL request through Yoga. Yoga parses, validates, executes and picks the form of the answer; bodies, limits
// and identity are settled before it, and it sees none of the client's headers but what it may answer in.

import type { GraphQLSchema } from 'graphql';
import { getOperationAST } from 'graphql';
import { createYoga, isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga';
import type { MediaType } from './accept.js';
import { documentCache, parseDocument } from './document.js';
import type { Exchange } from './exchange.js';
import type { Params } from './params.js';
import { type ErrorPolicy, shownError } from './shown-error.js';

export interface EngineOptions<Caller extends object> {
  readonly schema: GraphQLSchema;
  /** What the caller's operation has read, told when the request asks. */
  readonly traceOf: (caller: Caller) => readonly object[];
  readonly errors: ErrorPolicy;
}

export interface GraphQLRequest<Caller extends object> {
  readonly exchange: Exchange;
  readonly params: Params;
  readonly caller: Caller;
  readonly accepted: readonly MediaType[];
  readonly traced: boolean;
}

export interface Engine<Caller extends object> {
  readonly run: (request: GraphQLRequest<Caller>) => Promise<Response>;
}

/** A GraphQL engine for `schema`. A resolver's context has the caller's own properties. */
export function makeEngine<Caller extends object>(options: EngineOptions<Caller>): Engine<Caller> {
  const yoga = createYoga<GraphQLRequest<Caller>, Caller>({
    schema: options.schema,
    context: ({ caller }) => caller,
    plugins: [useOurRequest(), useBoundedDocuments(), useTrace(options.traceOf), useShownErrors(options.errors)],
    parserAndValidationCache: documentCache(),
    maxRequestBodySize: false, // counted before; Yoga would pipe each body through a second request
    maskedErrors: false, // useShownErrors does it, knowing the request's id
    cors: false, // no foreign origin
    graphiql: false,
    landingPage: false,
    multipart: false,
    batching: false,
    logging: false,
  });
  return {
    run: async (request) => {
      const { method } = request.exchange;
      const headers = { accept: request.accepted.join(', ') };
      return yoga.fetch(new yoga.fetchAPI.Request('http://gateway/graphql', { method, headers }), request);
    },
  };
}

function useOurRequest<Caller extends object>(): Plugin<object, GraphQLRequest<Caller>> {
  return {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => serverContext.params),
  };
}

function useBoundedDocuments<Caller extends object>(): Plugin<GraphQLRequest<Caller>> {
  return {
    onParse: ({ setParseFn, context: { exchange, params } }) => {
      setParseFn(parseDocument);
      return ({ result }) => {
        if (!result || result instanceof Error) return;
        exchange.operation = getOperationAST(result, params.operationName)?.name?.value.slice(0, 100);
      };
    },
  };
}

function useTrace<Caller extends object>(
  traceOf: (caller: Caller) => readonly object[],
): Plugin<object, GraphQLRequest<Caller>> {
  return {
    onExecutionResult: ({ result, setResult, context: { caller, traced } }) => {
      if (!traced || !result || isAsyncIterable(result)) return;
      setResult({ ...result, extensions: { ...result.extensions, cache: traceOf(caller) } });
    },
  };
}

function useShownErrors<Caller extends object>(policy: ErrorPolicy): Plugin<object, GraphQLRequest<Caller>> {
  return {
    onResultProcess: ({ result, setResult, serverContext: { exchange } }) => {
      const shown = <Result extends { errors?: readonly unknown[]; data?: unknown }>(one: Result) => {
        if (!one.errors) return one;
        const executed = 'data' in one;
        return { ...one, errors: one.errors.map((error) => shownError(error, exchange, executed, policy)) };
      };
      if (Array.isArray(result)) return;
      setResult(isAsyncIterable(result) ? mapAsyncIterator(result, shown) : shown(result));
    },
  };
}
