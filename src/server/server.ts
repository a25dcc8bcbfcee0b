// The HTTP edge: a node:http server with limits on time and size, its routes, and an end without cut-off answers.

import { createServer, type Server } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { wantsHtml } from './accept.js';
import type { Arrival } from './arrival.js';
import { atWork } from './at-work.js';
import { answerBrokenRequests } from './broken-request.js';
import { drainOf } from './drain.js';
import { type Edge, type EdgeOptions, openEdge } from './edge.js';
import type { Example } from './example.js';
import { beginExchange, type Exchange, onlyMethods, sendRefusal, setCommonHeaders } from './exchange.js';
import { gateOf } from './gate.js';
import { serveGraphiQLAsset, serveGraphiQLPage } from './graphiql.js';
import { requireExplorer } from './graphiql-door.js';
import { makeEngine } from './graphql.js';
import { type GraphQLRouteOptions, serveGraphQL } from './graphql-route.js';
import { type Readiness, serveLiveness, serveReadiness } from './health.js';
import { serveInspect } from './inspect.js';
import { type Introspect, serveIntrospection } from './introspect.js';
import type { Limits } from './limits.js';
import { listen, urlOf } from './listen.js';
import type { Logger } from './log.js';
import { mayMutateAmong } from './may-mutate.js';
import { serveMetrics } from './metrics.js';
import { isOfrep, type RemoteFlags, serveOfrep } from './ofrep.js';
import { owedBy } from './owed.js';
import { quickRefusals } from './quick-refusal.js';
import { Refusal } from './refusal.js';
import type { ErrorPolicy } from './shown-error.js';
import { Streams } from './streams.js';
import { type Count, Tally } from './tally.js';
import { checkDocuments } from './trusted-documents.js';
import { serveVerify, type Verify } from './verify.js';
import { serveWarm } from './warm.js';

export interface ServerOptions<Caller extends object> extends EdgeOptions<Caller> {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether PORT was set: only a default may give way to the next free port. */
  readonly portIsExplicit: boolean;
  readonly schema: GraphQLSchema;
  /**
   * The context of one request; resolvers see its own properties. What it throws with a code of the contract is answered
   * with that code's status: UNAUTHENTICATED with 401, UNAVAILABLE and CACHE_UNREACHABLE with 503.
   */
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  /** What a request has read, for `extensions.cache` of an answer to `x-cache-trace: 1`. */
  readonly traceOf: (caller: Caller) => readonly object[];
  /** The caller whom an event of a subscription is executed for; left out, the one who subscribed. */
  readonly callerOfEvent?: (event: unknown) => Caller | undefined;
  /** The coded form of an error that a client can act on; left out, only errors that carry a code are told as they are. */
  readonly codedError?: ErrorPolicy['codedError'];
  readonly readiness: () => Promise<Readiness>;
  /** Left out, this process is all there is. */
  readonly liveness?: (() => Promise<boolean>) | undefined;
  /** The numbers as Prometheus reads them; left out, there is no /metrics. */
  readonly metrics?: (() => Promise<string>) | undefined;
  /** Left out, there is no /introspect. */
  readonly introspect?: Introspect<Caller> | undefined;
  /** Left out, there is no /ofrep. */
  readonly flags?: RemoteFlags<Caller> | undefined;
  /** Left out, or without `controlSecret`, there is no /inspect. */
  readonly inspect?: ((view: string, key: string) => Promise<object | undefined>) | undefined;
  /** Left out, or without `controlSecret`, there is no /warm. */
  readonly warm?: ((view: string, after: string | undefined) => Promise<object | undefined>) | undefined;
  /** Left out, or without `controlSecret`, there is no /verify. */
  readonly verify?: Verify | undefined;
  readonly controlSecret?: string | undefined;
  readonly logger: Logger;
  /** Left out, GraphiQL is not served. In production it takes a token. */
  readonly graphiql?: { readonly examples: readonly Example[] } | undefined;
  /** In production, errors do not guess at the names that were meant. */
  readonly production: boolean;
  /** How often a silent event stream is kept open by a comment; 12 s unless given. */
  readonly heartbeatMs?: number;
}

export interface RunningServer {
  /** Where it is reached, such as http://127.0.0.1:4000; GraphQL is at /graphql. */
  readonly url: string;
  readonly port: number;
  /** What it has to do at the moment, and what it has done. */
  readonly work: () => Work;
  /**
   * Stops accepting, ends subscriptions, lets running requests finish for up to 5 s, and resolves when no connection is
   * left.
   */
  readonly close: () => Promise<void>;
}

export interface Work {
  readonly inFlight: number;
  readonly subscriptions: number;
  /** How late the event loop ran lately. */
  readonly delayMs: number;
  /** Bytes of ready answers. */
  readonly answersBytes: number;
  readonly answered: readonly Count[];
}

const graceMs = 5_000;

/** Starts to listen. @throws {CannotListen} with the setting to change; {@link UnusableManifest}. */
export async function startServer<Caller extends object>(options: ServerOptions<Caller>): Promise<RunningServer> {
  const { schema, traceOf, production, codedError = () => undefined, callerOfEvent = () => undefined } = options;
  const edge = openEdge({ ...options, codedError });
  const { limits, documents, admit } = edge;
  checkDocuments(edge.trusted, schema, documents);
  const streams = new Streams(limits);
  const errors = { codedError, suggest: !production };
  const engine = makeEngine({ schema, traceOf, errors, streams, documents, admit, callerOfEvent });
  const refuse = (exchange: Exchange, error: unknown) => sendRefusal(exchange, codedError(error) ?? error);
  const guarded = { ...edge, engine, refuse, heartbeatMs: options.heartbeatMs };
  const server = boundedServer(limits);
  const owed = owedBy(server);
  const drain = drainOf(server, owed, graceMs);
  const tally = new Tally();
  const refusals = quickRefusals(options.logger, tally, options.origins ?? new Set());
  const gate = gateOf({
    open: (request, response) => beginExchange(request, response, options.logger, tally),
    run: (exchange) => {
      try {
        route(exchange, guarded, options, drain.closing())?.catch((error) => refuse(exchange, error));
      } catch (error) {
        refuse(exchange, error);
      }
    },
    shortBytes: limits.body,
    places: edge.places,
    turns: edge.turns,
    refusals,
    mayMutate: mayMutateAmong(edge.trusted),
  });
  server.on('request', gate);
  answerBrokenRequests(server, owed);
  const port = await listen(server, options);
  const close = () => {
    const drained = drain.close().then(refusals.close);
    streams.close();
    edge.close();
    return drained;
  };
  const work = () => ({
    inFlight: edge.places.taken,
    subscriptions: streams.count,
    delayMs: edge.delayMs(),
    answersBytes: edge.answers?.bytes ?? 0,
    answered: tally.counts,
  });
  return { url: urlOf(options.host, port), port, work, close };
}

function boundedServer({ headers, headersMs, requestMs }: Limits): Server {
  return createServer({
    maxHeaderSize: headers,
    requireHostHeader: false, // Node would refuse it without a word; edge.receive has one
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    keepAliveTimeout: 65_000, // above the minute that load balancers keep theirs
    connectionsCheckingInterval: Math.min(5_000, headersMs),
  });
}

/** What is asked most often is served without a promise; what is wrong with it is thrown, or told to `edge.refuse`. */
function route<Caller extends object>(
  exchange: Exchange,
  edge: Edge<Caller> & GraphQLRouteOptions<Caller>,
  options: ServerOptions<Caller>,
  closing: boolean,
): Promise<void> | undefined {
  if (edge.receive(exchange)) return undefined;
  const { path, method, request } = exchange;
  const isPage = options.graphiql && method === 'GET' && wantsHtml(request);
  if (path !== '/graphql' || isPage) return routeOthers(exchange, edge, options, closing);
  serveGraphQL(exchange, edge);
  return undefined;
}

async function routeOthers<Caller extends object>(
  exchange: Exchange,
  edge: Edge<Caller>,
  options: ServerOptions<Caller>,
  closing: boolean,
): Promise<void> {
  const { codedError, readiness, liveness, metrics, inspect, warm, verify, controlSecret, graphiql, production } =
    options;
  const { path } = exchange;
  if (path === '/graphql' && graphiql) {
    if (production) await requireExplorer(exchange, edge.door);
    setCommonHeaders(exchange);
    return serveGraphiQLPage(exchange, graphiql.examples);
  }
  const read = atWork(edge.places, edge.limits);
  const contextOf = async (arrival: Arrival) => (await edge.door.admit(exchange, arrival)).caller;
  if (path === '/introspect' && options.introspect) {
    const metered = async (arrival: Arrival) => {
      const guest = await edge.door.admit(exchange, arrival);
      await edge.door.meter(guest, 'introspect', 1);
      return guest.caller;
    };
    return serveIntrospection(exchange, {
      introspect: options.introspect,
      contextOf: metered,
      atWork: read,
      ...(codedError && { codedError }),
    });
  }
  if (isOfrep(path) && options.flags) {
    const maxKeyBytes = edge.limits.authorization;
    return serveOfrep(exchange, { flags: options.flags, contextOf, atWork: read, maxKeyBytes, codedError });
  }
  if (path === '/livez') return serveLiveness(exchange, liveness);
  if (path === '/readyz') return serveReadiness(exchange, readiness, closing);
  if (path === '/metrics' && metrics) return serveMetrics(exchange, metrics);
  if (path === '/inspect' && inspect && controlSecret) return serveInspect(exchange, { inspect, controlSecret });
  if (path === '/warm' && warm && controlSecret) return serveWarm(exchange, { warm, controlSecret });
  if (path === '/verify' && verify && controlSecret) return serveVerify(exchange, { verify, controlSecret });
  if (graphiql && path.startsWith('/graphiql/')) return serveGraphiQLAsset(exchange);
  if (path === '/') return redirect(exchange, '/graphql');
  throw new Refusal('NOT_FOUND', 'There is nothing here; GraphQL is at /graphql.');
}

function redirect(exchange: Exchange, location: string): void {
  onlyMethods(exchange, 'GET', 'HEAD');
  exchange.response.writeHead(302, { location }).end();
}
