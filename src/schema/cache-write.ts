// Operators' hand on the cache, as they see it: lives of entries, entries loaded anew or dropped.
import { purgeCache, refreshCache, setCachePolicy } from '../resolvers/index.js';
import { builder } from './builder.js';
import { CachePolicy, VIEW } from './cache.js';
import { resultOf, settled } from './errors.js';
import { WriteOptions, WriteReceipt } from './write.js';

const SetCachePolicyPayload = builder
  .objectRef<Awaited<ReturnType<typeof setCachePolicy>>>('SetCachePolicyPayload')
  .implement({
    access: 'inherited',
    description: 'A policy that was set.',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: 'Its version is that of the policy.' }),
      policy: t.expose('policy', { type: CachePolicy, description: 'What now holds.' }),
    }),
  });
const RefreshCachePayload = builder.objectRef<{ refreshed: number }>('RefreshCachePayload').implement({
  access: 'inherited',
  description: 'Entries that were loaded anew.',
  fields: (t) => ({
    refreshed: t.exposeInt('refreshed', {
      description: 'Entries that stand as SQL has them; what is being written just now is left to its writer.',
    }),
  }),
});
const PurgeCachePayload = builder.objectRef<{ purged: number }>('PurgeCachePayload').implement({
  access: 'inherited',
  description: 'Entries that were dropped.',
  fields: (t) => ({
    purged: t.exposeInt('purged', { description: 'Keys under which nothing stands any more, whether or not it did.' }),
  }),
});

const KEYS = 'At most 1,000; left out, all live keys of the view.';

builder.mutationFields((t) => ({
  setCachePolicy: t.field({
    type: resultOf(SetCachePolicyPayload),
    access: 'cache:write',
    description:
      "Sets a view's TTL on every gateway, within about a second, until it is set again. It holds for what is stored from then on: entries that stand keep the life that they were given; refreshCache gives them the new one at once.",
    args: {
      view: t.arg.string({ required: true, description: VIEW }),
      ttlSeconds: t.arg.int({ required: true, description: 'From 1 to 31,536,000, a year.' }),
      options: t.arg({ type: WriteOptions, description: 'expectedVersion is that of the policy.' }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(setCachePolicy(ctx, args, options)),
  }),
  refreshCache: t.field({
    type: resultOf(RefreshCachePayload),
    access: 'cache:write',
    description:
      'Loads entries from SQL whatever stands. Safe at any time: a write in between wins. The audit log says so before it is done.',
    args: { view: t.arg.string({ required: true, description: VIEW }), keys: t.arg.stringList({ description: KEYS }) },
    resolve: (_, { view, keys }, ctx) => settled(refreshCache(ctx, view, keys).then((refreshed) => ({ refreshed }))),
  }),
  purgeCache: t.field({
    type: resultOf(PurgeCachePayload),
    access: 'cache:write',
    description:
      'Drops entries; whoever reads them next loads them from SQL. Safe at any time. The audit log says so before it is done.',
    args: { view: t.arg.string({ required: true, description: VIEW }), keys: t.arg.stringList({ description: KEYS }) },
    resolve: (_, { view, keys }, ctx) => settled(purgeCache(ctx, view, keys).then((purged) => ({ purged }))),
  }),
}));
