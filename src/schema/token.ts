// Tokens, their introspection, and who the caller is.
import DataLoader from 'dataloader';
import {
  type Context,
  globalId,
  hasScope,
  introspectToken,
  issueToken,
  listTokens,
  readToken,
  revokeToken,
  statusOf,
  type TokenDocument,
  type Token as TokenShape,
  type Viewer as ViewerShape,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { resultOf, settled } from './errors.js';
import { Node, nodeReader } from './node.js';
import { WriteOptions, WriteReceipt } from './write.js';

const TokenStatus = builder.enumType('TokenStatus', { values: ['ACTIVE', 'EXPIRED', 'REVOKED'] as const });

const Token = builder.objectRef<TokenShape>('Token').implement({
  access: 'inherited',
  description: 'A token without its secret, which is shown once, when it is issued.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ value }) => globalId('Token', value.id) }),
    name: t.string({ resolve: ({ value }) => value.name }),
    prefix: t.string({ description: 'How the secret begins.', resolve: ({ value }) => value.prefix }),
    subject: t.string({ resolve: ({ value }) => value.subject }),
    scopes: t.stringList({ resolve: ({ value }) => [...value.scopes] }),
    status: t.field({ type: TokenStatus, resolve: ({ value }, _, ctx) => statusOf(value, ctx.services.now()) }),
    createdAt: t.field({ type: 'DateTime', resolve: ({ value }) => new Date(value.createdAt) }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: ({ value }) => (value.expiresAt === null ? null : new Date(value.expiresAt)),
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Noted by each gateway within seconds; read from SQL.',
      resolve: async ({ value }, _, ctx) => (await usesOf(ctx).load(value.id)) ?? null,
    }),
    version: t.expose('version', { type: 'BigInt' }),
  }),
});

const readWithScope = async (ctx: Context, id: string) => (hasScope(ctx, 'tokens:read') ? readToken(ctx, id) : null);

nodeReader('Token', (ctx, key) => readWithScope(ctx, globalId('Token', key)));

const TokenConnection = connectionType('Token', Token);

const Introspection = builder.objectRef<{ readonly token: TokenDocument | null }>('Introspection').implement({
  access: 'inherited',
  description: "RFC 7662; jti is the token's id.",
  fields: (t) => ({
    active: t.boolean({
      description: 'False for a token that is unknown, expired or revoked, all alike.',
      resolve: ({ token }) => token !== null,
    }),
    scope: t.string({ nullable: true, resolve: ({ token }) => token?.scopes.join(' ') }),
    sub: t.string({ nullable: true, resolve: ({ token }) => token?.subject }),
    exp: t.field({
      type: 'BigInt',
      nullable: true,
      resolve: ({ token }) => (token?.expiresAt ? Math.floor(token.expiresAt / 1_000) : null),
    }),
    iat: t.field({
      type: 'BigInt',
      nullable: true,
      resolve: ({ token }) => token && Math.floor(token.createdAt / 1_000),
    }),
    jti: t.id({ nullable: true, resolve: ({ token }) => token && globalId('Token', token.id) }),
  }),
});

const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  access: 'inherited',
  description: 'Who asks.',
  fields: (t) => ({
    subject: t.exposeString('subject', { nullable: true, description: 'Null without a token.' }),
    scopes: t.stringList({ resolve: ({ scopes }) => [...scopes].sort() }),
    tokenId: t.id({ nullable: true, resolve: ({ tokenId }) => tokenId && globalId('Token', tokenId) }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({ type: Viewer, access: 'public', resolve: (_, __, ctx) => ctx.viewer }),
  introspectToken: t.field({
    type: Introspection,
    access: 'tokens:introspect',
    description: 'Never over GET.',
    args: { token: t.arg.string({ required: true }) },
    resolve: async (_, { token }, ctx) => ({ token: await introspectToken(ctx, token) }),
  }),
  token: t.field({
    type: Token,
    nullable: true,
    access: 'tokens:read',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, { id }, ctx) => readToken(ctx, id),
  }),
  tokens: t.field({
    type: TokenConnection,
    access: 'tokens:read',
    description: 'The newest first; read from SQL.',
    args: {
      subject: t.arg.string(),
      status: t.arg({ type: TokenStatus }),
      first: t.arg.int({ defaultValue: 50 }),
      after: t.arg.string(),
    },
    resolve: (_, args, ctx) => listTokens(ctx, args),
  }),
}));

const IssueTokenInput = builder.inputType('IssueTokenInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    subject: t.string({ required: true, description: 'Whom the token stands for.' }),
    scopes: t.stringList({ required: true }),
    expiresAt: t.field({ type: 'DateTime', description: 'Left out: never.' }),
  }),
});

const IssueTokenPayload = builder.objectRef<Awaited<ReturnType<typeof issueToken>>>('IssueTokenPayload').implement({
  access: 'inherited',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt }),
    token: t.expose('token', { type: Token }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'Shown once; null when an idempotency key is replayed.',
    }),
  }),
});
const RevokeTokenPayload = builder.objectRef<Awaited<ReturnType<typeof revokeToken>>>('RevokeTokenPayload').implement({
  access: 'inherited',
  fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }), token: t.expose('token', { type: Token }) }),
});

builder.mutationFields((t) => ({
  issueToken: t.field({
    type: resultOf(IssueTokenPayload),
    access: 'tokens:write',
    args: { input: t.arg({ type: IssueTokenInput, required: true }), options: t.arg({ type: WriteOptions }) },
    resolve: (_, { input, options }, ctx) => settled(issueToken(ctx, input, options)),
  }),
  revokeToken: t.field({
    type: resultOf(RevokeTokenPayload),
    access: 'tokens:write',
    description: 'Once acknowledged as visible, no gateway accepts the token.',
    args: { id: t.arg.id({ required: true }), options: t.arg({ type: WriteOptions }) },
    resolve: (_, { id, options }, ctx) => settled(revokeToken(ctx, id, options)),
  }),
}));

const loaders = new WeakMap<Context, DataLoader<string, Date | undefined>>();

/** One statement for all tokens of a request that are asked for their last use. */
function usesOf(ctx: Context): DataLoader<string, Date | undefined> {
  const loader =
    loaders.get(ctx) ??
    new DataLoader<string, Date | undefined>(async (ids) => {
      const uses = await ctx.services.tokenUses.lastUsed(ids);
      return ids.map((id) => uses.get(id));
    });
  loaders.set(ctx, loader);
  return loader;
}
