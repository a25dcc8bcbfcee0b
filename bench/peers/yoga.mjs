// GraphQL Yoga: with a cache by hand as the documentation's examples have it ("default") and with everything off that costs
// and is not asked for ("lean"), and with the response-cache plugin on Redis ("plugin").
import { createServer } from 'node:http';
import { useGraphQlJit } from '@envelop/graphql-jit';
import { createRedisCache } from '@envelop/response-cache-redis';
import { useResponseCache } from '@graphql-yoga/plugin-response-cache';
import { createSchema, createYoga } from 'graphql-yoga';
import { Redis } from 'ioredis';
import { openCacheAside } from './cache-aside.mjs';
import { openDocuments } from './documents.mjs';
import { callerOf, resolversOver, typeDefs } from './schema.mjs';
import { listen, setting } from './serve.mjs';

const documents = openDocuments(setting);
const aside = openCacheAside(setting.redisUrl, documents);
const source = setting.side === 'plugin' ? { ...documents, token: aside.token } : aside;
const authorizationOf = (request) => request.headers.get('authorization');

const options = {
  default: {},
  lean: {
    plugins: [useGraphQlJit()],
    maxRequestBodySize: false,
    logging: false,
    cors: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
  },
  plugin: {
    // The whole answer, for each caller apart; mutations drop the answers that hold what they return.
    plugins: [
      useResponseCache({
        session: authorizationOf,
        ttl: 3_600_000,
        cache: createRedisCache({ redis: new Redis(setting.redisUrl) }),
      }),
    ],
  },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers: resolversOver(source) }),
  context: async ({ request }) => ({ caller: await callerOf(authorizationOf(request), aside) }),
  ...options[setting.side],
});

listen(createServer(yoga));
