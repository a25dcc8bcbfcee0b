// Mercurius with JIT and mercurius-cache on Redis: resolvers are cached by their arguments, writes invalidate by reference.
import fastify from 'fastify';
import { Redis } from 'ioredis';
import mercurius from 'mercurius';
import cache from 'mercurius-cache';
import { openCacheAside } from './cache-aside.mjs';
import { openDocuments } from './documents.mjs';
import { callerOf, resolversOver, typeDefs } from './schema.mjs';
import { announce, setting } from './serve.mjs';

const documents = openDocuments(setting);
const aside = openCacheAside(setting.redisUrl, documents);
const app = fastify();

app.register(mercurius, {
  schema: typeDefs,
  resolvers: resolversOver({ ...documents, token: aside.token }),
  jit: 1,
  context: async ({ headers }) => ({ caller: await callerOf(headers.authorization, aside) }),
});

const forCaller = (ctx, key) => `${ctx.caller?.id ?? 'nobody'}|${key}`;

app.register(cache, {
  ttl: 3_600,
  storage: { type: 'redis', options: { client: new Redis(setting.redisUrl), invalidation: { referencesTTL: 3_600 } } },
  policy: {
    Query: {
      menu: {
        key: ({ arg }) => arg.key,
        references: (_, __, menu) => (menu ? [`menu:${menu.key}`] : []),
      },
      menus: {
        key: ({ arg }) => arg.keys.join(),
        references: (_, __, menus) => menus.flatMap((menu) => (menu ? [`menu:${menu.key}`] : [])),
      },
      flags: { key: ({ arg, ctx }) => forCaller(ctx, arg.environment) },
      statement: { key: ({ arg, ctx }) => forCaller(ctx, arg.account) },
      introspectToken: { key: ({ arg, ctx }) => forCaller(ctx, documents.digestOf(arg.token)) },
    },
    Mutation: {
      renameMenuItem: { invalidate: (_, arg) => [`menu:${arg.key}`] },
    },
  },
});

await app.listen({ host: '127.0.0.1', port: 0 });
announce(app.server.address().port);
