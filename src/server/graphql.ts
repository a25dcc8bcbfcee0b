// Runs a GraphQL request through Yoga. Yoga parses, validates, executes and picks the form of the answer; bodies, limits
// and identity are settled before it, and it sees none of the client's headers but what it may answer in.

import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import { createYoga, isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga';
import type { MediaType } from './accept.js';
import { type DocumentOptions, documentCache, parseDocument } from './document.js';
import type { Guest } from './door.js';
import type { Exchange } from './exchange.js';
import { costOf } from './operation-cost.js';
import { rootFieldsOf } from './operation-fields.js';
import type { Params } from './params.js';
import { Refusal } from './refusal.js';
import { withRetryStatus } from './retry-status.js';
import { type ErrorPolicy, shownError } from './shown-error.js';
import type { Streams } from './streams.js';

export interface EngineOptions<Caller extends object> {
  readonly schema: GraphQLSchema;
  /** What the caller's operation has read, told when the request asks. */
  readonly traceOf: (caller: Caller) => readonly object[];
  readonly errors: ErrorPolicy;
  readonly streams: Streams;
  readonly documents: DocumentOptions;
  /** Asked before an operation runs: what it costs, and how often it names each root field. @throws {Refusal} to turn it away. */
  readonly admit: (
    request: GraphQLRequest<Caller>,
    cost: number,
    rootFields: ReadonlyMap<string, number>,
  ) => Promise<void>;
  /** The caller whom an event of a subscription is executed for; undefined for the one who subscribed. */
  readonly callerOfEvent: (event: unknown) => Caller | undefined;
}

export interface GraphQLRequest<Caller extends object> {
  readonly exchange: Exchange;
  readonly params: Params & { readonly query: string };
  readonly guest: Guest<Caller>;
  readonly accepted: readonly MediaType[];
  readonly traced: boolean;
}

export type Answer =
  | { readonly kind: 'whole'; readonly response: Response; readonly faultless: boolean }
  | { readonly kind: 'stream'; readonly results: AsyncIterable<ExecutionResult> };

export interface Engine<Caller extends object> {
  readonly run: (request: GraphQLRequest<Caller>) => Promise<Answer>;
}

/** A request that Yoga runs. What is to be streamed is put beside: Yoga's own streams cannot be left before they begin. */
interface Running<Caller extends object> extends GraphQLRequest<Caller> {
  readonly streamed: { results?: AsyncIterable<ExecutionResult>; faulty?: boolean };
}

const eventStream = 'text/event-stream' satisfies MediaType;

/** A GraphQL engine for `schema`. A resolver's context has the caller's own properties. */
export function makeEngine<Caller extends object>(options: EngineOptions<Caller>): Engine<Caller> {
  const yoga = createYoga<Running<Caller>, Caller>({
    schema: options.schema,
    context: ({ guest }) => guest.caller,
    plugins: [
      useOurRequest(),
      useBoundedDocuments(options.documents),
      useAdmission(options),
      useStreams(options),
      useTrace(options.traceOf),
      useShownErrors(options.errors),
      useStreaming(),
    ],
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
      const accept =
        request.accepted.filter((type) => type !== eventStream).join(', ') || 'application/graphql-response+json';
      const running = { ...request, streamed: {} as Running<Caller>['streamed'] };
      const asked = new yoga.fetchAPI.Request('http://gateway/graphql', { method, headers: { accept } });
      const response = await yoga.fetch(asked, running);
      const { results, faulty = false } = running.streamed;
      return results ? { kind: 'stream', results } : { kind: 'whole', response, faultless: !faulty };
    },
  };
}

function useOurRequest<Caller extends object>(): Plugin<object, GraphQLRequest<Caller>> {
  return {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => serverContext.params),
  };
}

function useBoundedDocuments<Caller extends object>(documents: DocumentOptions): Plugin<GraphQLRequest<Caller>> {
  return {
    onParse: ({ setParseFn, context: { exchange, params } }) => {
      setParseFn((text: string) => parseDocument(text, documents));
      return ({ result }) => {
        if (!result || result instanceof Error) return;
        const operation = getOperationAST(result, params.operationName);
        exchange.operation = operation?.name?.value.slice(0, 100);
        exchange.operationType = operation?.operation;
      };
    },
  };
}

/** Weighs each operation once it is known to be valid. */
function useAdmission<Caller extends object>({
  schema,
  documents,
  admit,
}: EngineOptions<Caller>): Plugin<GraphQLRequest<Caller>> {
  const weigh = async ({ document: tree, operationName }: ExecutionArgs, context: GraphQLRequest<Caller>) => {
    const operation = getOperationAST(tree, operationName);
    if (!operation) return;
    const cost = costOf({ schema, tree, operation, variables: context.params.variables ?? {} });
    const { cost: maxCost } = documents.limits;
    if (cost > maxCost) {
      const sentence = `The operation may answer with ${cost} objects, of which ${maxCost} are taken; ask for shorter pages.`;
      throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 400 });
    }
    await admit(context, cost, rootFieldsOf(tree, operation));
  };
  return {
    onExecute: ({ args, context }) => weigh(args, context),
    onSubscribe: ({ args, context }) => weigh(args, context),
  };
}

function useStreams<Caller extends object>({
  streams,
  callerOfEvent,
  traceOf,
}: EngineOptions<Caller>): Plugin<GraphQLRequest<Caller>> {
  return {
    onSubscribe: ({ args, setSubscribeFn, context: { accepted, traced, guest } }) => {
      if (!accepted.includes(eventStream)) {
        const sentence = 'A subscription is answered as an event stream; send "accept: text/event-stream".';
        throw new Refusal('BAD_REQUEST', sentence, { status: 406 });
      }
      const run = async (event: unknown) => {
        const now = callerOfEvent(event) ?? guest.caller;
        const result = await execute({ ...args, rootValue: event, contextValue: now });
        return traced ? { ...result, extensions: { ...result.extensions, cache: traceOf(now) } } : result;
      };
      setSubscribeFn(() => streams.open(args, run, guest.name));
    },
  };
}

function useTrace<Caller extends object>(
  traceOf: (caller: Caller) => readonly object[],
): Plugin<object, GraphQLRequest<Caller>> {
  return {
    onExecutionResult: ({ result, setResult, context: { guest, traced } }) => {
      if (!traced || !result || isAsyncIterable(result)) return;
      setResult({ ...result, extensions: { ...result.extensions, cache: traceOf(guest.caller) } });
    },
  };
}

function useShownErrors<Caller extends object>(policy: ErrorPolicy): Plugin<object, Running<Caller>> {
  return {
    onResultProcess: ({ result, setResult, serverContext: { exchange, streamed } }) => {
      const shown = <Result extends { errors?: readonly unknown[]; data?: unknown }>(
        one: Result,
        executed: boolean,
      ) => {
        if (!one.errors) return one;
        streamed.faulty = true;
        const errors = one.errors.map((error) => shownError(error, exchange, executed, policy));
        exchange.code ??= codeOf(errors[0]);
        return { ...one, errors };
      };
      if (Array.isArray(result)) return;
      if (isAsyncIterable(result)) setResult(mapAsyncIterator(result, (one) => shown(one, true)));
      else {
        const executed = 'data' in result;
        const told = shown(result, executed);
        // A mutation may have been written all the same: at such a status a proxy could repeat it.
        setResult(executed && exchange.operationType === 'query' ? withRetryStatus(told) : told);
      }
    },
  };
}

function codeOf(error: GraphQLError | undefined): string | undefined {
  const code = error?.extensions.code;
  return typeof code === 'string' ? code : undefined;
}

/** Takes subscriptions out, and what else a client wants as an event stream; refusals with a status stay as they are. */
function useStreaming<Caller extends object>(): Plugin<object, Running<Caller>> {
  return {
    onResultProcess: ({ result, setResultProcessor, serverContext: { accepted, streamed } }) => {
      if (Array.isArray(result)) return;
      if (isAsyncIterable(result)) streamed.results = result;
      else if (accepted.every((type) => type === eventStream) && !hasStatus(result)) streamed.results = only(result);
      if (streamed.results) setResultProcessor((_, { Response }) => new Response(null), eventStream);
    },
  };
}

async function* only(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

const hasStatus = ({ errors = [], extensions }: ExecutionResult): boolean =>
  extensions?.http !== undefined || errors.some(({ extensions }) => extensions.http);
