// The cache itself, for operators.
import { countEntries, type InspectedEntry, inspectEntry, readCacheStatus } from '../resolvers/index.js';
import { builder } from './builder.js';

type StatusShape = ReturnType<typeof readCacheStatus>;

const EntryState = builder.enumType('EntryState', {
  values: ['ABSENT', 'FRESH', 'STALE', 'FENCED', 'LEASED'] as const,
});

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

const sum = (status: StatusShape, count: 'hits' | 'misses' | 'stale') =>
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

builder.queryFields((t) => ({
  cacheStatus: t.field({ type: CacheStatus, access: 'cache:read', resolve: (_, __, ctx) => readCacheStatus(ctx) }),
  cacheEntry: t.field({
    type: CacheEntry,
    nullable: true,
    access: 'cache:read',
    description: 'Null while the store is not trusted.',
    args: { view: t.arg.string({ required: true }), key: t.arg.string({ required: true }) },
    resolve: (_, { view, key }, ctx) => inspectEntry(ctx, view, key),
  }),
}));

const secondsOf = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1_000);
