// A schema with lists, pages, writes and something slow, for the tests of what may be asked.

import { buildSchema, type GraphQLObjectType } from 'graphql';
import { startGateway } from './gateway.js';

/** Settled by whoever holds up the fields `stuck`. */
export interface Stuck {
  /** How many wait. */
  readonly waiting: () => number;
  readonly release: () => void;
}

let stuck: Promise<void> = Promise.resolve();
let waiting = 0;

/** Holds up the fields `stuck` until they are released. */
export function holdUp(): Stuck {
  let release = () => {};
  stuck = new Promise((resolve) => {
    release = resolve;
  });
  waiting = 0;
  return { release, waiting: () => waiting };
}

export const edgeSchema = buildSchema(`
  type Query { hello(name: String): String nest: Query stuck: String items(first: Int = 50): [Item!]! all: [Item!]!
    page(first: Int = 50, keys: [String!]): Page! some(keys: [String!]!): [Item]! thing: Thing }
  interface Thing { name: String }
  type Page { edges: [Edge!]! total: Int! first: Item }
  type Edge { node: Item! cursor: String! }
  type Item implements Thing { name: String parts: [Item!]! items(first: Int): [Item!]! page(first: Int = 50): Page! }
  type Mutation { stuck: String rename(name: String): String issue(name: String): String reveal: String }
  type Subscription { endless: Int! }
`);

type Resolver = (source: unknown, args: Record<string, unknown>) => unknown;

function resolve(type: GraphQLObjectType | null | undefined, resolvers: Record<string, Resolver>): void {
  const fields = type?.getFields() ?? {};
  for (const [name, resolver] of Object.entries(resolvers)) {
    const field = fields[name];
    if (field) field.resolve = resolver;
  }
}

const late = async () => {
  waiting++;
  await stuck;
  return 'done';
};
const empty = () => [];
resolve(edgeSchema.getQueryType(), {
  hello: (_, { name }) => String(name ?? 'you').slice(0, 9),
  nest: () => ({}),
  stuck: late,
  items: empty,
  all: empty,
  some: empty,
  page: () => ({ edges: [], total: 0 }),
});
resolve(edgeSchema.getMutationType(), {
  stuck: late,
  rename: () => 'done',
  issue: () => 'secret',
  reveal: () => 'secret',
});
const endless = edgeSchema.getSubscriptionType()?.getFields().endless;
if (endless) {
  endless.subscribe = () => {
    const waiting: AsyncIterableIterator<unknown> = {
      [Symbol.asyncIterator]: () => waiting,
      next: () => new Promise(() => {}),
      return: async () => ({ done: true, value: undefined }),
    };
    return waiting;
  };
}

/** The edge over that schema; a token `Bearer writer` may write, `Bearer free` may send any document, `Bearer bad` is none. */
export function startEdge(overrides: Parameters<typeof startGateway>[0] = {}) {
  return startGateway({
    schema: edgeSchema,
    contextOf: async ({ authorization }) => {
      const name = authorization?.replace('Bearer ', '') ?? 'nobody';
      if (name.startsWith('bad'))
        throw Object.assign(new Error('This token is not valid.'), { code: 'UNAUTHENTICATED' });
      return { name, trace: [] };
    },
    standingOf: ({ name }) => ({
      id: name === 'nobody' ? undefined : name,
      writes: name === 'writer',
      free: name === 'free',
    }),
    ...overrides,
  });
}
