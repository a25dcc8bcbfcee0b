// Tokens: opaque, revocable at once, and what this gateway's own callers authenticate with. Only a keyed digest of the
// secret is stored, and it is the cache key too. Whether a token is expired is decided at each use, never by a TTL.
import type { Present, TextView } from '../cache/index.js';
import { findTokenIds, loadTokensByDigest, loadTokensById, type Query } from '../db/index.js';
import { type Context, hasScope, type Viewer } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { BadRequest, Forbidden, Unauthenticated } from './errors.js';
import { globalId, keyOfId } from './global-id.js';
import type { Maybe, PageArgs } from './input.js';
import { digestOf, isSecret } from './token-secret.js';

/** Moments are Unix milliseconds. */
export interface TokenDocument {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Id of the token that took this one's place. */
  readonly replacedBy: string | null;
}

/** What looking at a token takes: the edge has no whole context yet. */
type Asking = Pick<Context, 'services' | 'cache' | 'repetition'>;

export type TokenStatus = 'ACTIVE' | 'EXPIRED' | 'REVOKED';
export type Token = Present<TokenDocument>;

const FIVE_MINUTES_MS = 300_000;
const UNKNOWN_TTL_MS = 10_000;

const decode = (json: string): TokenDocument => JSON.parse(json) as TokenDocument;

const common = {
  format: 2,
  shape: 'text',
  mode: 'strict',
  ttlMs: FIVE_MINUTES_MS,
  decode,
  lifeLeftMs: (json: string) => {
    const { expiresAt } = decode(json);
    return expiresAt === null ? undefined : Math.max(1, expiresAt - Date.now());
  },
} as const;

/** By digest: how callers authenticate. */
export const tokenView: TextView<Query, TokenDocument> = {
  ...common,
  name: 'token',
  absentTtlMs: UNKNOWN_TTL_MS,
  keyIsDigest: true,
  load: loadTokensByDigest,
};

/** By id: how tokens are administered. */
export const tokenIdView: TextView<Query, TokenDocument> = {
  ...common,
  name: 'token-id',
  absentTtlMs: UNKNOWN_TTL_MS,
  load: loadTokensById,
};

export function statusOf({ expiresAt, revokedAt }: TokenDocument, nowMs: number): TokenStatus {
  if (revokedAt !== null) return 'REVOKED';
  return expiresAt !== null && expiresAt <= nowMs ? 'EXPIRED' : 'ACTIVE';
}

/** The status at this moment. */
export const statusNow = ({ repetition }: Asking, token: TokenDocument): TokenStatus =>
  statusOf(
    token,
    repetition.moment((nowMs) => statusEndMs(token, nowMs)),
  );

/** Until when the status stays what it is, unless somebody writes. */
const statusEndMs = ({ expiresAt }: TokenDocument, nowMs: number): number =>
  expiresAt !== null && expiresAt > nowMs ? expiresAt : Number.POSITIVE_INFINITY;

/** Who bears `secret`; undefined when it is no token, unknown, expired or revoked, all alike. */
export async function authenticate(ctx: Asking, secret: string): Promise<Viewer | undefined> {
  const token = await readActive(ctx, secret);
  if (!token) return undefined;
  noteUse(ctx, token);
  return { subject: token.subject, scopes: new Set(token.scopes), tokenId: token.id };
}

/** RFC 7662: what an active token stands for; anything else is inactive and says no more. Counts as a use of the token. */
export async function introspectToken(ctx: Context, secret: string): Promise<TokenDocument | null> {
  if (!ctx.posted) throw new BadRequest('introspectToken is not answered over GET, where URLs are logged: use POST.');
  const token = await readActive(ctx, secret);
  if (!token) return null;
  noteUse(ctx, token);
  return token;
}

/**
 * The same as the JSON of RFC 7662, §2.2, for callers with tokens:introspect.
 * @throws {Unauthenticated} without a token of one's own; {@link Forbidden} without that scope.
 */
export async function introspection(ctx: Context, secret: string) {
  if (ctx.viewer.subject === null) {
    throw new Unauthenticated('Authenticate by a token with tokens:introspect: as a bearer token, or as a password.');
  }
  if (!hasScope(ctx, 'tokens:introspect')) {
    throw new Forbidden('Your token lacks the scope tokens:introspect.', 'tokens:introspect');
  }
  const token = await introspectToken(ctx, secret);
  if (!token) return { active: false };
  const { scopes, subject, expiresAt, createdAt, id } = token;
  return {
    active: true,
    scope: scopes.join(' '),
    sub: subject,
    ...(expiresAt !== null && { exp: secondsOf(expiresAt) }),
    iat: secondsOf(createdAt),
    jti: globalId('Token', id),
    token_type: 'Bearer',
  };
}

/** Whole seconds since 1970, as RFC 7519 counts. */
export const secondsOf = (unixMs: number): number => Math.floor(unixMs / 1_000);

/** The token with this id, whatever its status. */
export async function readToken(ctx: Context, id: string): Promise<Token | null> {
  const key = keyOfId(id, 'Token');
  if (key === undefined) return null;
  const token = await ctx.cache.read(tokenIdView, key);
  return token.kind === 'present' ? token : null;
}

/** Tokens, the newest first. */
export async function listTokens(
  ctx: Context,
  args: PageArgs & { subject?: Maybe<string>; status?: Maybe<TokenStatus> },
): Promise<Connection<Token>> {
  const { query, cursorKey } = ctx.services;
  const size = pageSize(args.first);
  const filter = { subject: args.subject ?? undefined, status: args.status ?? undefined };
  const question = ['tokens', filter.subject ?? null, filter.status ?? null];
  const [createdAt, id] = args.after ? openCursor(cursorKey, question, args.after) : [];
  const from = createdAt === undefined ? undefined : { createdAt: String(createdAt), id: String(id) };
  const found = await ctx.cache.bypassing('token-id', 'tokens', () => findTokenIds(query, filter, from, size + 1));
  const ids = found.slice(0, size);
  const tokens = await Promise.all(ids.map((each) => ctx.cache.read(tokenIdView, each.id)));
  const edges = ids.flatMap((each, at) => {
    const token = tokens[at];
    return token?.kind === 'present' ? [new KeysetEdge(token, cursorKey, question, [each.createdAt, each.id])] : [];
  });
  return connectionOf(edges, found.length > size, args.after);
}

async function readActive(ctx: Asking, secret: string): Promise<TokenDocument | undefined> {
  if (!isSecret(secret)) return undefined;
  const token = await ctx.cache.read(tokenView, digestOf(secret, ctx.services.pepper));
  return token.kind === 'present' && statusNow(ctx, token.value) === 'ACTIVE' ? token.value : undefined;
}

const noteUse = ({ repetition }: Asking, { id }: TokenDocument): void =>
  repetition.eachTime({ kind: 'token-used', id });
