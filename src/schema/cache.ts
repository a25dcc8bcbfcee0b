// The cache itself, for operators.
import {
  type CachePolicy as CachePolicyShape,
  countEntries,
  type InspectedEntry,
  inspectEntry,
  listCachePolicies,
  readCacheStatus,
} from '../resolvers/index.js';
import { builder } from './builder.js';

type StatusShape = ReturnType<typeof readCacheStatus>;

export const VIEW = 'The name of a view, as cachePolicies lists them.';

const EntryState = builder.enumType('EntryState', {
  description: 'What an entry is up to.',
  values: {
    ABSENT: { description: 'Nothing stands: whoever reads it next loads it from SQL.' },
    FRESH: { description: 'It is what readers are answered with, be it "does not exist".' },
    STALE: {
      description: 'Left from before, and nobody can vouch for it. Not told: a store in doubt is not looked into.',
    },
    FENCED: { description: 'A transaction that changes it is about to end: its value is hidden, readers ask SQL.' },
    LEASED: { description: 'Nothing stands yet: one reader is loading it from SQL.' },
  } as const,
});

const EntryShape = builder.enumType('EntryShape', {
  description: "How a view's entries are kept, so that a read moves only what it asks for.",
  values: {
    TEXT: { description: 'One document.' },
    HASH: { description: 'Fields, read one, some or all.' },
    LIST: { description: 'Rows in order, read by page.' },
    SET: { description: 'Members, asked by membership.' },
  } as const,
});
const ViewMode = builder.enumType('ViewMode', {
  description: 'In doubt, strict views ask Postgres or fail; available views may answer what is left, marked stale.',
  values: {
    STRICT: { description: 'Never older than an acknowledged write: in doubt from Postgres, or not at all.' },
    AVAILABLE: { description: 'The same while either store can vouch; else what is left, marked stale.' },
  } as const,
});
const PolicySource = builder.enumType('PolicySource', {
  description: 'Where a TTL was set; a later one of these overrides the others.',
  values: {
    CODE: { description: 'By default.' },
    ENVIRONMENT: { description: "In this gateway's environment." },
    RUNTIME: { description: 'By setCachePolicy, for all gateways.' },
  } as const,
});

const CacheViewStatus = builder.objectRef<StatusShape['views'][number] & { readonly entries: number | null }>(
  'CacheViewStatus',
);
CacheViewStatus.implement({
  access: 'inherited',
  description: "One view's counters since this gateway started.",
  fields: (t) => ({
    view: t.exposeString('view', { description: 'Its name.' }),
    hits: t.expose('hits', { type: 'BigInt', description: 'Reads that Redis answered.' }),
    misses: t.expose('misses', { type: 'BigInt', description: 'Reads that Redis could not answer.' }),
    stale: t.expose('stale', { type: 'BigInt', description: 'Answers that neither store could vouch for.' }),
    entries: t.expose('entries', {
      type: 'BigInt',
      nullable: true,
      description: 'Entries that could be cached: live keys in SQL.',
    }),
    p50Ms: t.float({
      nullable: true,
      description: 'Milliseconds that half of the latest reads took at most; null before the first.',
      resolve: ({ p50Ms }) => p50Ms ?? null,
    }),
    p99Ms: t.float({
      nullable: true,
      description: 'Milliseconds that 99 of 100 of the latest reads took at most; null before the first.',
      resolve: ({ p99Ms }) => p99Ms ?? null,
    }),
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
    hits: t.field({
      type: 'BigInt',
      description: 'Reads that Redis answered.',
      resolve: (status) => sum(status, 'hits'),
    }),
    misses: t.field({
      type: 'BigInt',
      description: 'Reads that it could not answer.',
      resolve: (status) => sum(status, 'misses'),
    }),
    stale: t.field({
      type: 'BigInt',
      description: 'Answers that neither store could vouch for.',
      resolve: (status) => sum(status, 'stale'),
    }),
    mismatches: t.field({
      type: 'BigInt',
      description:
        'Hits that were compared with SQL, one in a thousand, and contradicted by it. Always 0, or look at the log.',
      resolve: (status) => sum(status, 'mismatches'),
    }),
    answersGiven: t.field({
      type: 'BigInt',
      description: 'Ready answers that were given again, everything they were made from being found to stand.',
      resolve: ({ answers }) => answers.stood,
    }),
    answersOutdated: t.field({
      type: 'BigInt',
      description: 'Ready answers that were not given: something in them had changed, or nobody could vouch for it.',
      resolve: ({ answers }) => answers.fell,
    }),
    relayLagMs: t.exposeFloat('relayLagMs', {
      description: 'Since changes made by psql and others were last carried over.',
    }),
    views: t.field({
      type: [CacheViewStatus],
      description: 'The same view by view.',
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
    view: t.exposeString('view', { description: "Its view's name." }),
    key: t.exposeString('key', { description: 'Of a digest, its beginning.' }),
    state: t.field({ type: EntryState, description: 'What it is up to.', resolve: ({ state }) => stateOf[state] }),
    version: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'That it was stored with.',
      resolve: ({ version }) => version ?? null,
    }),
    ageSeconds: t.float({
      nullable: true,
      description: 'Since it was stored.',
      resolve: ({ ageMs }) => secondsOf(ageMs),
    }),
    ttlSeconds: t.float({
      nullable: true,
      description: 'Until Redis drops it.',
      resolve: ({ ttlMs }) => secondsOf(ttlMs),
    }),
    bytes: t.exposeInt('bytes', { nullable: true, description: 'Of its value in Redis.' }),
  }),
});

const shapeOf = { text: 'TEXT', hash: 'HASH', list: 'LIST', set: 'SET' } as const;
const modeOf = { strict: 'STRICT', available: 'AVAILABLE' } as const;

export const CachePolicy = builder.objectRef<CachePolicyShape>('CachePolicy').implement({
  access: 'inherited',
  description: 'How a view is kept, and where its TTL comes from: RUNTIME over ENVIRONMENT over CODE.',
  fields: (t) => ({
    view: t.exposeString('view', { description: "The view's name." }),
    shape: t.field({
      type: EntryShape,
      description: 'How its entries are kept.',
      resolve: ({ shape }) => shapeOf[shape],
    }),
    mode: t.field({ type: ViewMode, description: 'What it answers in doubt.', resolve: ({ mode }) => modeOf[mode] }),
    ttlSeconds: t.exposeInt('ttlSeconds', { description: 'Of entries stored from now on.' }),
    jitter: t.exposeFloat('jitter', { description: 'The part of it by which a life may be shorter, at random.' }),
    source: t.expose('source', { type: PolicySource, description: 'Where the TTL was set.' }),
    version: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'Of what was set at run time, for expectedVersion; null where nothing was.',
      resolve: ({ version }) => version ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  cacheStatus: t.field({
    type: CacheStatus,
    access: 'cache:read',
    description: "This gateway's cache and its counters.",
    resolve: (_, __, ctx) => readCacheStatus(ctx),
  }),
  cachePolicies: t.field({
    type: [CachePolicy],
    access: 'cache:read',
    description: 'How every view is kept.',
    resolve: (_, __, ctx) => listCachePolicies(ctx),
  }),
  cacheEntry: t.field({
    type: CacheEntry,
    nullable: true,
    access: 'cache:read',
    description: 'What stands in one entry; null while the store is not trusted.',
    args: {
      view: t.arg.string({ required: true, description: VIEW }),
      key: t.arg.string({ required: true, description: 'As the view has it, such as `main:en` of a menu.' }),
    },
    resolve: (_, { view, key }, ctx) => inspectEntry(ctx, view, key),
  }),
}));

const secondsOf = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1_000);
