// Issuing, rotating and revoking tokens. Nobody hands out what he lacks, and a secret is in one answer and nowhere else.
import { rootOf } from '../cache/index.js';
import {
  findToken,
  findUnrevokedTokenIds,
  insertToken,
  setTokenReplaced,
  setTokenRevoked,
  setTokensOfRevoked,
  type TokenRow,
} from '../db/index.js';
import { type Context, hasScope } from './context.js';
import { Forbidden, Invalid, NotFound } from './errors.js';
import { globalId, keyOfId } from './global-id.js';
import type { Maybe } from './input.js';
import { isScope } from './scopes.js';
import { readToken, type Token, tokenIdView } from './token.js';
import { digestOf, makeSecret, prefixOf } from './token-secret.js';
import { type Receipt, type WriteOptions, write } from './write.js';

export interface IssueTokenInput {
  readonly name: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Maybe<Date>;
}

export interface Issued {
  readonly receipt: Receipt;
  readonly token: Token;
  /** Null in a dry run and in a replay. */
  readonly secret: string | null;
}

/** Issues a token; its secret is in this answer and nowhere else, so that a dry run and a replay have none. Callers grant what they have, or anything with tokens:grant. */
export async function issueToken(ctx: Context, input: IssueTokenInput): Promise<Issued & { readonly secret: string }>;
export async function issueToken(ctx: Context, input: IssueTokenInput, options: Maybe<WriteOptions>): Promise<Issued>;
export async function issueToken(ctx: Context, input: IssueTokenInput, options?: Maybe<WriteOptions>): Promise<Issued> {
  const token = requireToken(ctx, input);
  const id = crypto.randomUUID();
  const secret = makeSecret(ctx.services.randomBytes(32));
  const { kind, receipt, result } = await write(ctx, planOf('issueToken', id, options), async (tx) => {
    const digest = digestOf(secret, ctx.services.pepper);
    await insertToken(tx, { ...token, id, digest, prefix: prefixOf(secret) });
    return { result: id, after: { ...token, prefix: prefixOf(secret) } };
  });
  return { receipt, secret: kind === 'written' ? secret : null, token: await requireRead(ctx, result) };
}

export interface RotateTokenArgs {
  readonly id: string;
  readonly overlapSeconds?: Maybe<number>;
  /** Left out: when the old one would have expired. */
  readonly expiresAt?: Maybe<Date>;
}

/**
 * Puts a new secret in an old one's place: a new token of the same name, subject and scopes. The old one is revoked at
 * once, or accepted for the overlap and not longer than it was going to be.
 * @throws {Invalid} when the token is not active any more, or was replaced before.
 */
export async function rotateToken(ctx: Context, args: RotateTokenArgs, options?: Maybe<WriteOptions>) {
  const key = requireTokenKey(args.id);
  const overlapSeconds = requireOverlap(args.overlapSeconds ?? 0);
  requireFuture(ctx, args.expiresAt, ['expiresAt']);
  const id = crypto.randomUUID();
  const secret = makeSecret(ctx.services.randomBytes(32));
  const prefix = prefixOf(secret);
  const plan = planOf('rotateToken', key, options);
  const roots = [...plan.roots, rootOf(tokenIdView, id)] as const;
  const { kind, receipt, result } = await write(ctx, { ...plan, roots }, async (tx) => {
    const nowMs = ctx.services.now();
    const old = await findToken(tx, key);
    if (!old) throw noToken();
    requireRotatable(old, nowMs);
    requireGrantable(ctx, old);
    const { name, subject, scopes } = old;
    const expiresAt = args.expiresAt ?? old.expiresAt;
    const digest = digestOf(secret, ctx.services.pepper);
    await insertToken(tx, { id, digest, prefix, name, subject, scopes, expiresAt });
    await setTokenReplaced(tx, key, id, overlapSeconds > 0 ? new Date(nowMs + overlapSeconds * 1_000) : null);
    const before = { prefix: old.prefix, expiresAt: old.expiresAt };
    return { result: id, before, after: { replacedBy: id, prefix, expiresAt, overlapSeconds } };
  });
  const [token, replaced] = await Promise.all([requireRead(ctx, result), requireRead(ctx, key)]);
  return { receipt, secret: kind === 'written' ? secret : null, token, replaced };
}

/** Revokes a token: no gateway accepts it after this is acknowledged as visible. Revoking it again changes nothing. */
export async function revokeToken(ctx: Context, id: string, options?: Maybe<WriteOptions>) {
  const key = requireTokenKey(id);
  const { receipt } = await write(ctx, planOf('revokeToken', key, options), async (tx) => {
    const token = await findToken(tx, key);
    if (!token) throw noToken();
    await setTokenRevoked(tx, key);
    return { result: undefined, before: { revoked: token.revokedAt !== null }, after: { revoked: true } };
  });
  return { receipt, token: await requireRead(ctx, key) };
}

/**
 * Revokes all tokens of a subject, expired ones too, since clocks differ: none of those issued before is accepted after
 * this is acknowledged as visible. Doing it again revokes none. The version is that of the subject: each change of one of
 * its tokens is a new one.
 */
export async function revokeTokensOf(ctx: Context, subject: string, options?: Maybe<WriteOptions>) {
  requireText(subject, 'subject', ['subject']);
  // Their roots are locked before the subject's, which is the order that every writer of one token takes them in.
  const ids = await ctx.cache.bypassing('token-id', 'revokeTokensOf', () =>
    findUnrevokedTokenIds(ctx.services.query, subject),
  );
  const plan = {
    action: 'revokeTokensOf',
    domain: 'TOKEN' as const,
    key: subject,
    roots: [{ view: SUBJECT, key: subject }, ...ids.map((id) => rootOf(tokenIdView, id))] as const,
    options,
  };
  const { receipt, result } = await write(ctx, plan, async (tx) => {
    const revoked = await setTokensOfRevoked(tx, subject);
    return { result: revoked.length, after: { revoked } };
  });
  return { receipt, revoked: result };
}

/** A root without an entry: all tokens of one subject. */
const SUBJECT = 'token-subject';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_OVERLAP_SECONDS = 30 * 86_400;

const planOf = (action: string, id: string, options: Maybe<WriteOptions>) => ({
  action,
  domain: 'TOKEN' as const,
  key: id,
  roots: [rootOf(tokenIdView, id)] as const,
  options,
});

function requireToken(ctx: Context, { name, subject, scopes, expiresAt = null }: IssueTokenInput) {
  requireText(name, 'name', ['input', 'name']);
  requireText(subject, 'subject', ['input', 'subject']);
  for (const [at, scope] of scopes.entries()) {
    const path = ['input', 'scopes', String(at)];
    if (!isScope(scope)) throw new Invalid(`${JSON.stringify(scope.slice(0, 60))} is no scope.`, { path });
  }
  requireGrantable(ctx, { subject, scopes });
  requireFuture(ctx, expiresAt, ['input', 'expiresAt']);
  return { name, subject, scopes: [...new Set(scopes)], expiresAt };
}

/** @throws {Forbidden} at a scope that the caller lacks, or that would let him read for another subject what he cannot. */
function requireGrantable(ctx: Context, { subject, scopes }: Pick<IssueTokenInput, 'subject' | 'scopes'>): void {
  if (hasScope(ctx, 'tokens:grant')) return;
  const lacking = scopes.find((scope) => !ctx.viewer.scopes.has(scope));
  if (lacking !== undefined) {
    throw new Forbidden(`You can only grant scopes that you have, and ${lacking} is not among them.`, 'tokens:grant');
  }
  const reads = scopes.includes('statements:read') && !hasScope(ctx, 'statements:read-any');
  if (reads && subject !== ctx.viewer.subject) {
    throw new Forbidden(
      'statements:read lets a token read the accounts of its subject, and you can only grant it for yours.',
      'tokens:grant',
    );
  }
}

function requireText(text: string, field: string, path: readonly string[]): void {
  if (text.trim() !== '' && text.length <= 200 && !/[\p{Cc}\p{Surrogate}]/u.test(text)) return;
  throw new Invalid(`${field} has 1 to 200 characters and no control characters.`, { path });
}

function requireFuture(ctx: Context, expiresAt: Maybe<Date>, path: readonly string[]): void {
  if (!expiresAt || expiresAt.getTime() > ctx.services.now()) return;
  throw new Invalid('expiresAt lies in the past; leave it out, or name a moment to come.', { path });
}

function requireOverlap(seconds: number): number {
  if (seconds >= 0 && seconds <= MAX_OVERLAP_SECONDS) return seconds;
  throw new Invalid(`overlapSeconds must be from 0 to ${MAX_OVERLAP_SECONDS}, which is 30 days.`, {
    path: ['overlapSeconds'],
  });
}

function requireRotatable({ revokedAt, expiresAt, replacedBy }: TokenRow, nowMs: number): void {
  const path = ['id'];
  if (replacedBy) {
    const next = globalId('Token', replacedBy);
    throw new Invalid(`This token was rotated before; its place took ${next}: rotate that one.`, { path });
  }
  if (revokedAt) throw new Invalid('This token is revoked; issue a new one.', { path });
  if (expiresAt && expiresAt.getTime() <= nowMs) {
    throw new Invalid('This token has expired; issue a new one.', { path });
  }
}

function requireTokenKey(id: string): string {
  const key = keyOfId(id, 'Token');
  if (key === undefined || !UUID.test(key)) throw noToken();
  return key;
}

const noToken = () => new NotFound('There is no token with this id.', { path: ['id'] });

async function requireRead(ctx: Context, id: string): Promise<Token> {
  const token = await readToken(ctx, globalId('Token', id));
  if (!token) throw noToken();
  return token;
}
