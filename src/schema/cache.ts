// The cache itself, for operators.
import {
  type CachePolicy as CachePolicyShape,
  countEntries,
  type InspectedEntry,
  inspectEntry,
  listCachePolicies,
  purgeCache,
  readCacheStatus,
  refreshCache,
  setCachePolicy,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { WriteOptions, WriteReceipt } from './write.js';

type StatusShape = ReturnType<typeof readCacheStatus>;

const EntryState = builder.enumType('EntryState', {
  values: ['ABSENT', 'FRESH', 'STALE', 'FENCED', 'LEASED'] as const,
});

const EntryShape = builder.enumType('EntryShape', { values: ['TEXT', 'HASH', 'LIST', 'SET'] as const });
const ViewMode = builder.enumType('ViewMode', {
  description: 'In doubt, strict views ask Postgres or fail; available views may answer what is left, marked stale.',
  values: ['STRICT', 'AVAILABLE'] as const,
});
const PolicySource = builder.enumType('PolicySource', { values: ['CODE', 'ENVIRONMENT', 'RUNTIME'] as const });

const CacheViewStatus = builder.objectRef<StatusShape['views'][number] & { readonly entries: number | null }>(
  'CacheViewStatus',
);
CacheViewStatus.implement({
  access: 'inherited',
  description: "One view's counters since this gateway started.",
  fields: (t) => ({
    view: t.exposeString('view'),
    hits: t.expose('hits', { type: 'BigInt' }),
    misses: t.expose('misses', { type: 'BigInt', description: 'Reads that Redis could not answer.' }),
    stale: t.expose('stale', { type: 'BigInt', description: 'Answers that neither store could vouch for.' }),
    entries: t.expose('entries', {
      type: 'BigInt',
      nullable: true,
      description: 'Entries that could be cached: live keys in SQL.',
    }),
    p50Ms: t.float({ nullable: true, resolve: ({ p50Ms }) => p50Ms ?? null }),
    p99Ms: t.float({ nullable: true, resolve: ({ p99Ms }) => p99Ms ?? null }),
  }),
});

const sum = (status: StatusShape, count: 'hits' | 'misses' | 'stale' | 'mismatches') =>
  status.views.reduce((total, view) => total + view[count], 0);

const CacheStatus = builder.objectRef<StatusShape>('CacheStatus').implement({
  access: 'inherited',
  description: "This gateway's cache, since it started.",
  fields: (t) => ({
    store: t.exposeString('store', { description: 'redis or memory.' }),
    trusted: t.exposeBoolean('trusted', {
      description: 'False while reads come from SQL because the store is in doubt.',
    }),
    hits: t.field({ type: 'BigInt', resolve: (status) => sum(status, 'hits') }),
    misses: t.field({ type: 'BigInt', resolve: (status) => sum(status, 'misses') }),
    stale: t.field({ type: 'BigInt', resolve: (status) => sum(status, 'stale') }),
    mismatches: t.field({
      type: 'BigInt',
      description:
        'Hits that were compared with SQL, one in a thousand, and contradicted by it. Always 0, or look at the log.',
      resolve: (status) => sum(status, 'mismatches'),
    }),
    relayLagMs: t.exposeFloat('relayLagMs', {
      description: 'Since changes made by psql and others were last carried over.',
    }),
    views: t.field({
      type: [CacheViewStatus],
      resolve: async ({ views }, _, ctx) => {
        const live = await countEntries(ctx);
        return views.map((view) => ({ ...view, entries: live.get(view.view) ?? 0 }));
      },
    }),
  }),
});

const stateOf = { absent: 'ABSENT', fresh: 'FRESH', fenced: 'FENCED', leased: 'LEASED' } as const;

const CacheEntry = builder.objectRef<InspectedEntry>('CacheEntry').implement({
  access: 'inherited',
  description: 'What stands in one entry. Asking changes nothing.',
  fields: (t) => ({
    view: t.exposeString('view'),
    key: t.exposeString('key', { description: 'Of a digest, its beginning.' }),
    state: t.field({ type: EntryState, resolve: ({ state }) => stateOf[state] }),
    version: t.field({ type: 'BigInt', nullable: true, resolve: ({ version }) => version ?? null }),
    ageSeconds: t.float({ nullable: true, resolve: ({ ageMs }) => secondsOf(ageMs) }),
    ttlSeconds: t.float({ nullable: true, resolve: ({ ttlMs }) => secondsOf(ttlMs) }),
    bytes: t.exposeInt('bytes', { nullable: true }),
  }),
});

const shapeOf = { text: 'TEXT', hash: 'HASH', list: 'LIST', set: 'SET' } as const;
const modeOf = { strict: 'STRICT', available: 'AVAILABLE' } as const;

const CachePolicy = builder.objectRef<CachePolicyShape>('CachePolicy').implement({
  access: 'inherited',
  description: 'How a view is kept, and where its TTL comes from: RUNTIME over ENVIRONMENT over CODE.',
  fields: (t) => ({
    view: t.exposeString('view'),
    shape: t.field({ type: EntryShape, resolve: ({ shape }) => shapeOf[shape] }),
    mode: t.field({ type: ViewMode, resolve: ({ mode }) => modeOf[mode] }),
    ttlSeconds: t.exposeInt('ttlSeconds', { description: 'Of entries stored from now on.' }),
    jitter: t.exposeFloat('jitter', { description: 'The part of it by which a life may be shorter, at random.' }),
    source: t.expose('source', { type: PolicySource }),
    version: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'Of what was set at run time, for expectedVersion; null where nothing was.',
      resolve: ({ version }) => version ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  cacheStatus: t.field({ type: CacheStatus, access: 'cache:read', resolve: (_, __, ctx) => readCacheStatus(ctx) }),
  cachePolicies: t.field({
    type: [CachePolicy],
    access: 'cache:read',
    description: 'Of every view.',
    resolve: (_, __, ctx) => listCachePolicies(ctx),
  }),
  cacheEntry: t.field({
    type: CacheEntry,
    nullable: true,
    access: 'cache:read',
    description: 'Null while the store is not trusted.',
    args: { view: t.arg.string({ required: true }), key: t.arg.string({ required: true }) },
    resolve: (_, { view, key }, ctx) => inspectEntry(ctx, view, key),
  }),
}));

const SetCachePolicyPayload = builder
  .objectRef<Awaited<ReturnType<typeof setCachePolicy>>>('SetCachePolicyPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt }),
      policy: t.expose('policy', { type: CachePolicy, description: 'What now holds.' }),
    }),
  });
const RefreshCachePayload = builder.objectRef<{ refreshed: number }>('RefreshCachePayload').implement({
  access: 'inherited',
  fields: (t) => ({
    refreshed: t.exposeInt('refreshed', {
      description: 'Entries that stand as SQL has them; what is being written just now is left to its writer.',
    }),
  }),
});
const PurgeCachePayload = builder.objectRef<{ purged: number }>('PurgeCachePayload').implement({
  access: 'inherited',
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
      view: t.arg.string({ required: true }),
      ttlSeconds: t.arg.int({ required: true, description: 'From 1 to 31,536,000, a year.' }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(setCachePolicy(ctx, args, options)),
  }),
  refreshCache: t.field({
    type: resultOf(RefreshCachePayload),
    access: 'cache:write',
    description: 'Loads entries from SQL whatever stands. Safe at any time: a write in between wins.',
    args: { view: t.arg.string({ required: true }), keys: t.arg.stringList({ description: KEYS }) },
    resolve: (_, { view, keys }, ctx) => settled(refreshCache(ctx, view, keys).then((refreshed) => ({ refreshed }))),
  }),
  purgeCache: t.field({
    type: resultOf(PurgeCachePayload),
    access: 'cache:write',
    description: 'Drops entries; whoever reads them next loads them from SQL. Safe at any time.',
    args: { view: t.arg.string({ required: true }), keys: t.arg.stringList({ description: KEYS }) },
    resolve: (_, { view, keys }, ctx) => settled(purgeCache(ctx, view, keys).then((purged) => ({ purged }))),
  }),
}));

const secondsOf = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1_000);
