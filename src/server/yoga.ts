// Requests through Yoga: it parses, validates and executes what is not settled yet, and picks the form of every answer. It
// sees none of the client's headers but what it may answer in.

import { type ExecutionArgs, type ExecutionResult, execute, type GraphQLError, getOperationAST } from 'graphql';
import { createYoga, isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga';
import type { MediaType } from './accept.js';
import { type DocumentOptions, parseDocument } from './document.js';
import type { Answer, EngineOptions } from './engine.js';
import type { GraphQLRequest } from './graphql-request.js';
import { type KnownDocuments, nameOperation } from './known-documents.js';
import { Refusal } from './refusal.js';
import { withRetryStatus } from './retry-status.js';
import { type ErrorPolicy, shownError } from './shown-error.js';
import type { Weigh, Weight } from './weight.js';

/** What has become of a request before Yoga gives it its form. */
export type Settled =
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'executed'; readonly result: ExecutionResult; readonly weight: Weight };

/** A request that Yoga runs. What is to be streamed is put beside: Yoga's own streams cannot be left before they begin. */
interface Running<Caller extends object> {
  readonly running: {
    readonly request: GraphQLRequest<Caller>;
    readonly settled: Settled | undefined;
    results?: AsyncIterable<ExecutionResult>;
    faulty?: boolean;
    weight: Weight | undefined;
  };
}

const eventStream = 'text/event-stream' satisfies MediaType;

/** Runs requests, or gives what they came to its form. */
export function throughYoga<Caller extends object>(
  options: EngineOptions<Caller>,
  documents: KnownDocuments,
  weigh: Weigh<Caller>,
): (request: GraphQLRequest<Caller>, settled?: Settled) => Promise<Answer> {
  const yoga = createYoga<Running<Caller>, Caller>({
    schema: options.schema,
    context: ({ running }) => running.request.guest.caller,
    plugins: [
      useOurRequest(),
      useBoundedDocuments(options.documents),
      useAdmission(weigh),
      useStreams(options),
      useTrace(options.traceOf),
      useShownErrors(options.errors),
      useStreaming(),
    ],
    parserAndValidationCache: documents.caches,
    maxRequestBodySize: false, // counted before; Yoga would pipe each body through a second request
    maskedErrors: false, // useShownErrors does it, knowing the request's id
    cors: false, // no foreign origin
    graphiql: false,
    landingPage: false,
    multipart: false,
    batching: false,
    logging: false,
  });
  return async (request, settled) => {
    const { method } = request.exchange;
    const accept =
      request.accepted.filter((type) => type !== eventStream).join(', ') || 'application/graphql-response+json';
    const weight = settled?.kind === 'executed' ? settled.weight : undefined;
    const running: Running<Caller>['running'] = { request, settled, weight };
    const asked = new yoga.fetchAPI.Request('http://gateway/graphql', { method, headers: { accept } });
    const response = await yoga.fetch(asked, { running });
    if (running.results) return { kind: 'stream', results: running.results };
    const { status, headers } = response;
    const faultless = !running.faulty;
    return {
      kind: 'whole',
      status,
      headers: [...headers],
      body: await response.text(),
      faultless,
      weight: running.weight,
    };
  };
}

function useOurRequest<Caller extends object>(): Plugin<object, Running<Caller>> {
  return {
    onRequestParse: ({ serverContext, setRequestParser }) =>
      setRequestParser(() => serverContext.running.request.params),
  };
}

function useBoundedDocuments<Caller extends object>(documents: DocumentOptions): Plugin<Running<Caller>> {
  return {
    onParse: ({ setParseFn, context: { running } }) => {
      setParseFn((text: string) => parseDocument(text, documents));
      return ({ result }) => {
        if (!result || result instanceof Error) return;
        const { exchange, params } = running.request;
        nameOperation(exchange, getOperationAST(result, params.operationName));
      };
    },
  };
}

/** Weighs what is still to run, and runs nothing twice. */
function useAdmission<Caller extends object>(weigh: Weigh<Caller>): Plugin<Running<Caller>> {
  const admit = async ({ document: tree, operationName }: ExecutionArgs, { running }: Running<Caller>) => {
    const operation = getOperationAST(tree, operationName);
    if (operation) running.weight = await weigh(running.request, tree, operation);
  };
  return {
    onExecute: ({ args, context, setResultAndStopExecution }) => {
      const { settled } = context.running;
      if (settled?.kind === 'refused') throw settled.error;
      if (settled) return setResultAndStopExecution(settled.result);
      return admit(args, context);
    },
    onSubscribe: ({ args, context }) => admit(args, context),
  };
}

function useStreams<Caller extends object>({
  streams,
  callerOfEvent,
  traceOf,
}: EngineOptions<Caller>): Plugin<Running<Caller>> {
  return {
    onSubscribe: ({ args, setSubscribeFn, context: { running } }) => {
      const { accepted, traced, guest } = running.request;
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
): Plugin<object, Running<Caller>> {
  return {
    onExecutionResult: ({ result, setResult, context }) => {
      const { guest, traced } = context.running.request;
      if (!traced || !result || isAsyncIterable(result)) return;
      setResult({ ...result, extensions: { ...result.extensions, cache: traceOf(guest.caller) } });
    },
  };
}

function useShownErrors<Caller extends object>(policy: ErrorPolicy): Plugin<object, Running<Caller>> {
  return {
    onResultProcess: ({ result, setResult, serverContext: { running } }) => {
      const { exchange } = running.request;
      const shown = <Result extends { errors?: readonly unknown[]; data?: unknown }>(
        one: Result,
        executed: boolean,
      ) => {
        if (!one.errors) return one;
        running.faulty = true;
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
    onResultProcess: ({ result, setResultProcessor, serverContext: { running } }) => {
      const { accepted } = running.request;
      if (Array.isArray(result)) return;
      if (isAsyncIterable(result)) running.results = result;
      else if (accepted.every((type) => type === eventStream) && !hasStatus(result)) running.results = only(result);
      if (running.results) setResultProcessor((_, { Response }) => new Response(null), eventStream);
    },
  };
}

async function* only(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

const hasStatus = ({ errors = [], extensions }: ExecutionResult): boolean =>
  extensions?.http !== undefined || errors.some(({ extensions }) => extensions.http);
