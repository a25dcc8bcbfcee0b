// A gateway over a schema of four fields, for the tests of the HTTP edge alone.

import { EventEmitter, once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { buildSchema, GraphQLError, type GraphQLFieldConfigMap, type GraphQLObjectType } from 'graphql';
import { type Arrival, makeLogger, type ServerOptions, startServer } from '../../src/server/index.js';

export interface Caller {
  readonly name: string;
  readonly trace: { view: string; key: string; outcome: string }[];
}

/** A gate at which the field `slow` waits. */
export interface Gate {
  readonly entered: Promise<unknown>;
  readonly open: () => void;
}

export interface Gateway {
  readonly url: string;
  readonly close: () => Promise<void>;
  readonly logged: () => Record<string, unknown>[];
  readonly post: (body: unknown, headers?: Record<string, string>) => Promise<Response>;
  readonly query: (query: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly get: (parameters: Record<string, string>, headers?: Record<string, string>) => Promise<Response>;
}

export interface Answer {
  readonly status: number;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { message: string; path?: string[]; extensions?: Record<string, unknown> }[];
  readonly extensions?: Record<string, unknown>;
}

/** Starts the edge on a free port; `overrides` replace its options. */
export function startGateway(overrides: Partial<ServerOptions<Caller>> = {}): Promise<Gateway> {
  return startEdgeOf<Caller>({ schema, contextOf: callerOf, traceOf: ({ trace }) => trace, ...overrides });
}

type Own = 'schema' | 'contextOf' | 'traceOf';

/** Starts the edge over a schema and callers of a test's own. */
export async function startEdgeOf<Whoever extends object>(
  overrides: Partial<ServerOptions<Whoever>> & Pick<ServerOptions<Whoever>, Own>,
): Promise<Gateway> {
  const lines: string[] = [];
  const { url, close } = await startServer<Whoever>({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    readiness: async () => ({ ready: true, postgres: 'up', cache: 'trusted' }),
    logger: makeLogger({ level: 'debug', write: (line) => lines.push(line) }),
    production: false,
    ...overrides,
    limits: { deadlineMs: 60_000, ...overrides.limits }, // on a slow machine too
  });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    url,
    close,
    logged: () => lines.map((line) => JSON.parse(line)),
    post,
    query: async (query, headers) => answerOf(await post({ query }, headers)),
    get: (parameters, headers = {}) => fetch(`${url}/graphql?${new URLSearchParams(parameters)}`, { headers }),
  };
}

/** Status and body of an answer in JSON. */
export async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, ...(await response.json()) };
}

/** Sends bytes as they are given, without announcing their number; resolves to the status. */
export function sendChunks(url: string, chunks: Iterable<string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const outgoing = httpRequest(`${url}/graphql`, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

/** Makes the field `slow` wait until the gate opens. */
export function gateSlow(): Gate {
  const entered = new EventEmitter();
  const opened = new EventEmitter();
  slow = async () => {
    entered.emit('now');
    await once(opened, 'now');
  };
  return { entered: once(entered, 'now'), open: () => opened.emit('now') };
}

let slow: () => Promise<void> = async () => {};

/** Resolves when a client has left the subscription `endless`, which never has an event. */
export function watchEndless(): Promise<unknown> {
  return once(leaving, 'now');
}

const leaving = new EventEmitter();

/** Events of 100 KB that the subscription `flood` was asked for. */
export const floodedEvents = (): number => flooded;

let flooded = 0;

async function callerOf({ authorization, posted }: Arrival): Promise<Caller> {
  const failure = authorization?.replace('Bearer ', '');
  if (failure === 'unknown') throw Object.assign(new Error('This token is not valid.'), { code: 'UNAUTHENTICATED' });
  if (failure === 'outage') throw Object.assign(new Error('Try again.'), { code: 'CACHE_UNREACHABLE' });
  if (failure === 'bug') throw new Error('the pepper is s3cret');
  return { name: posted ? 'poster' : 'getter', trace: [] };
}

const schema = buildSchema(`
  type Query { hello(name: String! = "you"): String! caller: String! broken: String coded: String number: Int slow: String nest: Query }
  type Mutation { rename(label: String!): String! }
  type Subscription { ticks: Int! endless: Int! failing: Int! flood: String! }
`);

resolve(schema.getQueryType(), {
  hello: (_, { name }, { trace }) => {
    trace.push({ view: 'menu', key: String(name), outcome: 'HIT' });
    return `Hello ${name}`;
  },
  caller: (_, __, { name }) => name,
  broken: () => {
    throw new Error('relation "tokens" does not exist at /srv/db.ts, s3cret');
  },
  coded: () => {
    throw new GraphQLError('You may not.', { extensions: { code: 'FORBIDDEN' } });
  },
  number: () => 2 ** 40,
  slow: async () => {
    await slow();
    return 'done';
  },
  nest: () => ({}),
});
resolve(schema.getMutationType(), { rename: (_, { label }) => String(label) });
subscribe('ticks', async function* () {
  yield { ticks: 1 };
  yield { ticks: 2 };
});
const endless: AsyncIterableIterator<unknown> = {
  [Symbol.asyncIterator]: () => endless,
  next: () => new Promise(() => {}),
  return: async () => {
    leaving.emit('now');
    return { done: true, value: undefined };
  },
};
subscribe('endless', () => endless);
subscribe('failing', async function* () {
  yield { failing: 1 };
  throw new Error('relation "tokens" does not exist at /srv/db.ts, s3cret');
});
subscribe('flood', async function* () {
  for (;;) {
    flooded++;
    yield { flood: 'x'.repeat(100_000) };
  }
});

function subscribe(name: string, source: () => AsyncIterable<unknown>): void {
  const field = schema.getSubscriptionType()?.getFields()[name];
  if (field) field.subscribe = source;
}

type Resolver = (source: unknown, args: Record<string, unknown>, caller: Caller) => unknown;

function resolve(type: GraphQLObjectType | null | undefined, resolvers: Record<string, Resolver>): void {
  const fields: Record<string, { resolve?: GraphQLFieldConfigMap<unknown, Caller>[string]['resolve'] }> =
    type?.getFields() ?? {};
  for (const [name, resolver] of Object.entries(resolvers)) {
    const field = fields[name];
    if (field) field.resolve = resolver;
  }
}
