// Apollo Server with its response cache on Redis, as its documentation sets it up: lives by cache hints, answers to a caller
// with a token kept for that caller. There is no invalidation: what was written shows when the life of an answer ends.
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import responseCache from '@apollo/server-plugin-response-cache';
import { KeyvAdapter } from '@apollo/utils.keyvadapter';
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { openCacheAside } from './cache-aside.mjs';
import { openDocuments } from './documents.mjs';
import { callerOf, resolversOver, typeDefs } from './schema.mjs';
import { announce, setting } from './serve.mjs';

const hints = /* GraphQL */ `
  enum CacheControlScope { PUBLIC PRIVATE }
  directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
`;

const LIFE_S = 60;
const PRIVATE = ['Statement', 'Introspection', 'FlagConnection'];

/** Objects live as long as what they are part of; the root fields set how long. */
const hinted = typeDefs
  .replace(/^ {2}type (\w+)(.*?) \{/gm, (line, name, rest) => {
    if (['Query', 'Mutation'].includes(name)) return line;
    const scope = PRIVATE.includes(name) ? ', scope: PRIVATE' : '';
    return `  type ${name}${rest} @cacheControl(inheritMaxAge: true${scope}) {`;
  })
  .replace(/^ {4}(menu|menus|flags|statement|introspectToken)\((.*)$/gm, `    $1($2 @cacheControl(maxAge: ${LIFE_S})`);

const documents = openDocuments(setting);
const aside = openCacheAside(setting.redisUrl, documents);
const server = new ApolloServer({
  typeDefs: [hints, hinted],
  resolvers: resolversOver({ ...documents, token: aside.token }),
  cache: new KeyvAdapter(new Keyv({ store: new KeyvRedis(setting.redisUrl) })),
  plugins: [responseCache({ sessionId: async ({ request }) => request.http?.headers.get('authorization') ?? null })],
});

const { url } = await startStandaloneServer(server, {
  context: async ({ req }) => ({ caller: await callerOf(req.headers.authorization, aside) }),
  listen: { host: '127.0.0.1', port: 0 },
});
announce(new URL(url).port);
