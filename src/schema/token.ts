// Tokens, their introspection, and who the caller is.
import DataLoader from 'dataloader';
import {
  type Context,
  globalId,
  hasScope,
  introspectToken,
  listTokens,
  readToken,
  secondsOf,
  statusNow,
  type TokenDocument,
  type Token as TokenShape,
  type Viewer as ViewerShape,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { Node, nodeReader } from './node.js';

const TokenStatus = builder.enumType('TokenStatus', {
  description: 'What has become of a token.',
  values: {
    ACTIVE: { description: 'Its bearer is let in.' },
    EXPIRED: { description: 'Its expiresAt has passed.' },
    REVOKED: { description: 'Somebody revoked it, or rotated it without an overlap.' },
  } as const,
});

export const Token = builder.objectRef<TokenShape>('Token').implement({
  access: 'inherited',
  description: 'A token without its secret, which is shown once, when it is issued.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'Its global id.', resolve: ({ value }) => globalId('Token', value.id) }),
    name: t.string({ description: 'What it is for, in words.', resolve: ({ value }) => value.name }),
    prefix: t.string({ description: 'How the secret begins.', resolve: ({ value }) => value.prefix }),
    subject: t.string({ description: 'Whom it stands for.', resolve: ({ value }) => value.subject }),
    scopes: t.stringList({ description: 'What its bearer may do.', resolve: ({ value }) => [...value.scopes] }),
    status: t.field({
      type: TokenStatus,
      description: 'As it is now.',
      resolve: ({ value }, _, ctx) => statusNow(ctx, value),
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was issued.',
      resolve: ({ value }) => new Date(value.createdAt),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it is refused; null for never.',
      resolve: ({ value }) => (value.expiresAt === null ? null : new Date(value.expiresAt)),
    }),
    replacedBy: t.id({
      nullable: true,
      description: 'The token that took its place when it was rotated.',
      resolve: ({ value }) => value.replacedBy && globalId('Token', value.replacedBy),
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Noted at most once a minute, and written within seconds; null for never. Read from SQL.',
      resolve: async ({ value }, _, ctx) => (await usesOf(ctx).load(value.id)) ?? null,
    }),
    version: t.expose('version', { type: 'BigInt', description: 'For expectedVersion; a use does not change it.' }),
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
    scope: t.string({
      nullable: true,
      description: 'Its scopes, between blanks.',
      resolve: ({ token }) => token?.scopes.join(' '),
    }),
    sub: t.string({ nullable: true, description: 'Its subject.', resolve: ({ token }) => token?.subject }),
    exp: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'When it expires, in whole seconds since 1970; null for never.',
      resolve: ({ token }) => (token?.expiresAt ? secondsOf(token.expiresAt) : null),
    }),
    iat: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'When it was issued, in whole seconds since 1970.',
      resolve: ({ token }) => token && secondsOf(token.createdAt),
    }),
    jti: t.id({
      nullable: true,
      description: 'The id of the token.',
      resolve: ({ token }) => token && globalId('Token', token.id),
    }),
  }),
});

const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  access: 'inherited',
  description: 'Who asks.',
  fields: (t) => ({
    subject: t.exposeString('subject', { nullable: true, description: 'Null without a token.' }),
    scopes: t.stringList({
      description: 'What the token sent along may do; none without a token.',
      resolve: ({ scopes }) => [...scopes].sort(),
    }),
    tokenId: t.id({
      nullable: true,
      description: 'The token sent along.',
      resolve: ({ tokenId }) => tokenId && globalId('Token', tokenId),
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    access: 'public',
    description: 'Whom the gateway takes the caller for.',
    resolve: (_, __, ctx) => ctx.viewer,
  }),
  introspectToken: t.field({
    type: Introspection,
    access: 'tokens:introspect',
    description: 'What a token stands for, as RFC 7662 has it. Never over GET. POST /introspect says the same.',
    args: { token: t.arg.string({ required: true, description: 'The secret of the token.' }) },
    resolve: async (_, { token }, ctx) => ({ token: await introspectToken(ctx, token) }),
  }),
  token: t.field({
    type: Token,
    nullable: true,
    access: 'tokens:read',
    description: 'A token, whatever its status; null where there is none.',
    args: { id: t.arg.id({ required: true, description: 'Its global id.' }) },
    resolve: (_, { id }, ctx) => readToken(ctx, id),
  }),
  tokens: t.field({
    type: TokenConnection,
    access: 'tokens:read',
    description: 'The newest first; read from SQL.',
    args: {
      subject: t.arg.string({ description: 'Only those that stand for this subject.' }),
      status: t.arg({ type: TokenStatus, description: 'Only those with this status now.' }),
      first: t.arg.int({ defaultValue: 50, description: 'From 1 to 100.' }),
      after: t.arg.string({ description: 'endCursor of the page before.' }),
    },
    resolve: (_, args, ctx) => listTokens(ctx, args),
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
