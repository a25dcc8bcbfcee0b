// Tokens: opaque, revocable at once, and what this gateway's own callers authenticate with. Only a keyed digest of the
// secret is stored, and it is the cache key too. Whether a token is expired is decided at each use, never by a TTL.
import { type Present, rootOf, type TextView } from '../cache/index.js';
import {
  findToken,
  findTokenIds,
  insertToken,
  loadTokensByDigest,
  loadTokensById,
  type Query,
  setTokenRevoked,
} from '../db/index.js';
import { type Context, hasScope, type Services, type Viewer } from './context.js';
import { type Connection, connectionOf, makeCursor, openCursor, pageSize } from './cursor.js';
import { BadRequest, Forbidden, Invalid, NotFound } from './errors.js';
import { globalId, keyOfId } from './global-id.js';
import type { Maybe, PageArgs } from './input.js';
import { isScope } from './scopes.js';
import { digestOf, isSecret, makeSecret, prefixOf } from './token-secret.js';
import { type WriteOptions, write } from './write.js';

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
}

export type TokenStatus = 'ACTIVE' | 'EXPIRED' | 'REVOKED';
export type Token = Present<TokenDocument>;

const FIVE_MINUTES_MS = 300_000;
const UNKNOWN_TTL_MS = 10_000;

const decode = (json: string): TokenDocument => JSON.parse(json) as TokenDocument;

const common = {
  format: 1,
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

/** Who bears `secret`; undefined when it is no token, unknown, expired or revoked, all alike. */
export async function authenticate(
  services: Services,
  cache: Context['cache'],
  secret: string,
): Promise<Viewer | undefined> {
  const token = await readActive(services, cache, secret);
  if (!token) return undefined;
  services.tokenUses.note(token.id, services.now());
  return { subject: token.subject, scopes: new Set(token.scopes), tokenId: token.id };
}

/** RFC 7662: what an active token stands for; anything else is inactive and says no more. */
export async function introspectToken(ctx: Context, secret: string): Promise<TokenDocument | null> {
  if (!ctx.posted) throw new BadRequest('introspectToken is not answered over GET, where URLs are logged: use POST.');
  return (await readActive(ctx.services, ctx.cache, secret)) ?? null;
}

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
    const cursor = makeCursor(cursorKey, question, [each.createdAt, each.id]);
    return token?.kind === 'present' ? [{ node: token, cursor }] : [];
  });
  return connectionOf(edges, found.length > size, args.after);
}

export interface IssueTokenInput {
  readonly name: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Maybe<Date>;
}

/** Issues a token; its secret is in this answer and nowhere else. Callers grant scopes that they have, or any with tokens:grant. */
export async function issueToken(ctx: Context, input: IssueTokenInput, options?: Maybe<WriteOptions>) {
  const token = requireToken(ctx, input);
  const id = crypto.randomUUID();
  const secret = makeSecret(ctx.services.randomBytes(32));
  const { receipt } = await write(ctx, planOf('issueToken', id, options), async (tx) => {
    const digest = digestOf(secret, ctx.services.pepper);
    await insertToken(tx, { ...token, id, digest, prefix: prefixOf(secret) });
    return { result: undefined, after: { ...token, prefix: prefixOf(secret) } };
  });
  return { receipt, secret, token: await requireRead(ctx, id) };
}

/** Revokes a token: no gateway accepts it after this is acknowledged as visible. Revoking it again changes nothing. */
export async function revokeToken(ctx: Context, id: string, options?: Maybe<WriteOptions>) {
  const key = keyOfId(id, 'Token');
  if (key === undefined || !UUID.test(key)) throw noToken();
  const { receipt } = await write(ctx, planOf('revokeToken', key, options), async (tx) => {
    const token = await findToken(tx, key);
    if (!token) throw noToken();
    await setTokenRevoked(tx, key);
    return { result: undefined, before: { revoked: token.revokedAt !== null }, after: { revoked: true } };
  });
  return { receipt, token: await requireRead(ctx, key) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const planOf = (action: string, id: string, options: Maybe<WriteOptions>) => ({
  action,
  domain: 'TOKEN' as const,
  key: id,
  roots: [rootOf(tokenIdView, id)] as const,
  options,
});

async function readActive(
  { pepper, now }: Services,
  cache: Context['cache'],
  secret: string,
): Promise<TokenDocument | undefined> {
  if (!isSecret(secret)) return undefined;
  const token = await cache.read(tokenView, digestOf(secret, pepper));
  return token.kind === 'present' && statusOf(token.value, now()) === 'ACTIVE' ? token.value : undefined;
}

function requireToken(ctx: Context, { name, subject, scopes, expiresAt = null }: IssueTokenInput) {
  for (const [field, text] of Object.entries({ name, subject })) {
    if (text.trim() === '' || text.length > 200 || /\p{Cc}/u.test(text)) {
      throw new Invalid(`${field} has 1 to 200 characters and no control characters.`, { path: ['input', field] });
    }
  }
  for (const [at, scope] of scopes.entries()) {
    const path = ['input', 'scopes', String(at)];
    if (!isScope(scope)) throw new Invalid(`${JSON.stringify(scope.slice(0, 60))} is no scope.`, { path });
    if (!hasScope(ctx, scope) && !hasScope(ctx, 'tokens:grant')) {
      throw new Forbidden(`You can only grant scopes that you have, and ${scope} is not among them.`, 'tokens:grant');
    }
  }
  if (expiresAt && expiresAt.getTime() <= ctx.services.now()) {
    throw new Invalid('expiresAt lies in the past; leave it out for a token that does not expire.', {
      path: ['input', 'expiresAt'],
    });
  }
  return { name, subject, scopes: [...new Set(scopes)], expiresAt };
}

const noToken = () => new NotFound('There is no token with this id.', { path: ['id'] });

async function requireRead(ctx: Context, id: string): Promise<Token> {
  const token = await readToken(ctx, globalId('Token', id));
  if (!token) throw noToken();
  return token;
}
