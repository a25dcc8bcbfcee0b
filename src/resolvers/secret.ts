// Secrets: kept in envelopes, in Postgres and in the cache alike. The plain value is in the input of `putSecret` and
// `rotateSecret` and the answer of `revealSecret`, and nowhere else.
import { rootOf, type TextView } from '../cache/index.js';
import {
  findSecretNumbers,
  findSecurityValue,
  insertSecretVersion,
  loadSecrets,
  type Query,
  setRotation,
  type Tx,
} from '../db/index.js';
import type { Context } from './context.js';
import { seal } from './envelope.js';
import type { Maybe } from './input.js';
import { noSecret, requireOverlap, requireRotation, requireSecretValue } from './secret-input.js';
import {
  NOT_OF_THIS_KIND,
  requireKind,
  requireSecurityName,
  type SecretVersion,
  type SecurityValue,
  standingOrNew,
} from './security-record.js';
import { type WriteOptions, write } from './write.js';

/** Envelopes are in base64, and there only of the current version and the one before it. */
export interface SecretDocument {
  readonly rotateEveryDays: number | null;
  readonly versions: readonly (SecretVersion & {
    readonly ciphertext: string | null;
    readonly wrappedKey: string | null;
  })[];
}

export const secretView: TextView<Query, SecretDocument> = {
  name: 'secret',
  format: 1,
  shape: 'text',
  mode: 'strict',
  ttlMs: 300_000,
  load: loadSecrets,
  decode: (json) => JSON.parse(json) as SecretDocument,
};

/** The secret without any value; null when there is none of this name. */
export async function readSecret(ctx: Context, name: string): Promise<SecurityValue | null> {
  const found = await ctx.cache.read(secretView, name);
  if (found.kind === 'absent') return null;
  const { value, version, asOf, stale } = found;
  const versions = value.versions.map(({ ciphertext: _, wrappedKey: __, ...rest }) => rest);
  return {
    ...NOT_OF_THIS_KIND,
    name,
    kind: 'SECRET',
    rotateEveryDays: value.rotateEveryDays,
    versions,
    version,
    asOf,
    stale,
  };
}

export interface SecretInput {
  readonly name: string;
  readonly value: string;
}

/**
 * Makes `value` the current version of the secret, which is made if there is none. The version before it becomes
 * PREVIOUS, and can be revealed until it is destroyed. `rotateEveryDays` left out stays as it is; 0 means never.
 */
export async function putSecret(
  ctx: Context,
  args: SecretInput & { readonly rotateEveryDays?: Maybe<number> },
  options?: Maybe<WriteOptions>,
) {
  const name = requireSecurityName(args.name);
  requireSecretValue(args.value);
  const asked = requireRotation(args.rotateEveryDays);
  const { receipt } = await write(ctx, secretPlan('putSecret', name, options), async (tx) => {
    const before = await standingOrNew(tx, { name, kind: 'SECRET', rotateEveryDays: asked ?? null });
    const rotateEveryDays = asked === undefined ? (before?.rotateEveryDays ?? null) : asked;
    if (before) await setRotation(tx, name, rotateEveryDays);
    const { current, number } = await addVersion(ctx, tx, { name, value: args.value }, null);
    return {
      result: undefined,
      before: before ? { version: current === 0 ? null : current, rotateEveryDays: before.rotateEveryDays } : null,
      after: { version: number, rotateEveryDays },
    };
  });
  return { receipt, securityValue: await requireSecret(ctx, name) };
}

/**
 * Makes `value` the current version of a secret that there is. The version before it becomes PREVIOUS, and can be
 * revealed for `overlapSeconds` more, while whoever uses it moves to the new one.
 * @throws {NotFound} when there is no such secret.
 */
export async function rotateSecret(
  ctx: Context,
  args: SecretInput & { readonly overlapSeconds: number },
  options?: Maybe<WriteOptions>,
) {
  const name = requireSecurityName(args.name);
  requireSecretValue(args.value);
  const overlapSeconds = requireOverlap(args.overlapSeconds);
  const { receipt } = await write(ctx, secretPlan('rotateSecret', name, options), async (tx) => {
    const standing = await findSecurityValue(tx, name);
    requireKind(standing, 'SECRET');
    if (!standing) throw noSecret(name);
    const { current, number } = await addVersion(ctx, tx, { name, value: args.value }, overlapSeconds);
    return {
      result: undefined,
      before: { version: current === 0 ? null : current },
      after: { version: number, overlapSeconds },
    };
  });
  return { receipt, securityValue: await requireSecret(ctx, name) };
}

/** How a write to the secret `name` is ordered and filed. */
export const secretPlan = (action: string, name: string, options: Maybe<WriteOptions>) => ({
  action,
  domain: 'SECURITY_VALUE' as const,
  key: name,
  roots: [rootOf(secretView, name)] as const,
  options,
});

/** @throws {NotFound} when there is no secret of this name. */
export async function requireSecret(ctx: Context, name: string): Promise<SecurityValue> {
  const secret = await readSecret(ctx, name);
  if (!secret) throw noSecret(name);
  return secret;
}

/** Seals `value` as the newest version; says its number and that of the one it replaces, 0 where there is none. */
async function addVersion(ctx: Context, tx: Tx, { name, value }: SecretInput, overlapSeconds: number | null) {
  const { masterKey, randomBytes } = ctx.services;
  const { last, current } = await findSecretNumbers(tx, name);
  const number = last + 1;
  const envelope = seal(masterKey, { name, number }, value, randomBytes);
  const createdBy = ctx.viewer.subject ?? 'nobody';
  await insertSecretVersion(tx, { name, number, createdBy, ...envelope }, overlapSeconds);
  return { current, number };
}
