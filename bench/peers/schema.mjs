// The part of the gateway's schema that is measured, and resolvers over a source of documents: Postgres itself, or a cache
// by hand in front of it.
import { GraphQLError } from 'graphql';

export const typeDefs = /* GraphQL */ `
  scalar BigInt
  scalar Date
  type Menu { id: ID! key: String! title: String! items: [MenuItem!]! }
  type MenuItem { key: String! label: String! url: String children: [MenuItem!]! }
  type Flag { id: ID! key: String! enabled: Boolean! defaultVariant: String }
  type FlagEdge { node: Flag! }
  type FlagConnection { edges: [FlagEdge!]! }
  type Money { minor: BigInt! currency: String! decimal: String! }
  type Transaction {
    id: ID! externalId: String! bookedOn: Date! amount: Money! description: String! kind: String
  }
  type TransactionEdge { node: Transaction! }
  type PageInfo { hasNextPage: Boolean! }
  type TransactionConnection { edges: [TransactionEdge!]! pageInfo: PageInfo! }
  enum DayStatus { OPEN CLOSED RESTATED }
  type Statement {
    id: ID! date: Date! status: DayStatus! opening: Money! closing: Money! lines(first: Int = 50): TransactionConnection!
  }
  type Introspection { active: Boolean! scope: String sub: String exp: BigInt iat: BigInt jti: ID }
  type Query {
    menu(key: String!, locale: String = "en"): Menu
    menus(keys: [String!]!, locale: String = "en"): [Menu]!
    flags(environment: String!, first: Int = 50): FlagConnection!
    statement(account: String!): Statement
    introspectToken(token: String!): Introspection!
  }
  type RenameMenuItemPayload { menu: Menu! }
  type NotFoundError { message: String! }
  union RenameMenuItemResult = RenameMenuItemPayload | NotFoundError
  type Mutation {
    renameMenuItem(key: String!, locale: String = "en", item: String!, label: String!): RenameMenuItemResult!
  }
`;

/** `context.caller` is the caller's token, or null. */
export function resolversOver(source) {
  return {
    Query: {
      menu: (_, { key }) => source.menu(key),
      menus: (_, { keys }) => Promise.all(keys.map((key) => source.menu(key))),
      flags: (_, { environment }, { caller }) => {
        requireScope(caller, 'flags:read');
        return source.flags(environment);
      },
      statement: async (_, { account }, { caller }) => {
        const found = await source.statement(account);
        return found && mayRead(caller, found) ? found : null;
      },
      introspectToken: async (_, { token }, { caller }) => {
        requireScope(caller, 'tokens:introspect');
        return introspectionOf(await source.token(source.digestOf(token)));
      },
    },
    Mutation: {
      renameMenuItem: async (_, { key, item, label }, { caller }) => {
        requireScope(caller, 'menus:write');
        const id = await source.rename(key, item, label);
        return id === null
          ? { __typename: 'NotFoundError', message: 'There is no such item.' }
          : { __typename: 'RenameMenuItemPayload', menu: { id } };
      },
    },
  };
}

export const introspectionOf = (token) =>
  token === null
    ? { active: false }
    : { active: true, scope: token.scopes.join(' '), sub: token.subject, exp: null, iat: token.iat, jti: token.jti };

export const mayRead = (caller, { holder }) =>
  caller !== null && (caller.scopes.includes('statements:read-any') || caller.subject === holder);

/** The token in an Authorization header, looked up in `source` for each request; null without a header. */
export async function callerOf(authorization, source) {
  if (!authorization) return null;
  const caller = await source.token(source.digestOf(authorization.slice('Bearer '.length)));
  if (caller === null) throw new GraphQLError('The token is not valid.');
  return caller;
}

function requireScope(caller, scope) {
  if (!caller?.scopes.includes(scope)) throw new GraphQLError(`This takes a token with ${scope}.`);
}
