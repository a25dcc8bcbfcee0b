// Secrets: kept in envelopes, in Postgres and in the cache alike, and opened only for a caller whose reveal is in the
// audit log already. The plain value is in the input of `putSecret` and the answer of `revealSecret`, and nowhere else.
import { randomUUID } from 'node:crypto';
import { rootOf, type TextView } from '../cache/index.js';
import {
  findSealedVersion,
  findSecretNumbers,
  insertChange,
  insertSecretVersion,
  inTransaction,
  loadSecrets,
  type Query,
  setRotation,
  withDeadline,
} from '../db/index.js';
import type { Context } from './context.js';
import { type Envelope, seal, unseal } from './envelope.js';
import { Invalid, NotFound } from './errors.js';
import { globalId } from './global-id.js';
import type { Maybe } from './input.js';
import {
  NOT_OF_THIS_KIND,
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

const MAX_SECRET_BYTES = 65_536;
const MAX_ROTATION_DAYS = 3_650;
const MAX_REASON_LENGTH = 1_000;
const AUDIT_DEADLINE_MS = 5_000;

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

/**
 * Makes `value` the current version of the secret, which is made if there is none. The version before it becomes
 * PREVIOUS at once. `rotateEveryDays` left out stays as it is; 0 means never.
 */
export async function putSecret(
  ctx: Context,
  args: { readonly name: string; readonly value: string; readonly rotateEveryDays?: Maybe<number> },
  options?: Maybe<WriteOptions>,
) {
  const { masterKey, randomBytes } = ctx.services;
  const name = requireSecurityName(args.name);
  requireSecretValue(args.value);
  const asked = requireRotation(args.rotateEveryDays);
  const plan = {
    action: 'putSecret',
    domain: 'SECURITY_VALUE' as const,
    key: name,
    roots: [rootOf(secretView, name)] as const,
    options,
  };
  const { receipt } = await write(ctx, plan, async (tx) => {
    const before = await standingOrNew(tx, { name, kind: 'SECRET', rotateEveryDays: asked ?? null });
    const rotateEveryDays = asked === undefined ? (before?.rotateEveryDays ?? null) : asked;
    if (before) await setRotation(tx, name, rotateEveryDays);
    const { last, current } = await findSecretNumbers(tx, name);
    const number = last + 1;
    const envelope = seal(masterKey, { name, number }, args.value, randomBytes);
    await insertSecretVersion(tx, { name, number, createdBy: ctx.viewer.subject ?? 'nobody', ...envelope });
    return {
      result: undefined,
      before: before ? { version: current, rotateEveryDays: before.rotateEveryDays } : null,
      after: { version: number, rotateEveryDays },
    };
  });
  const securityValue = await readSecret(ctx, name);
  if (!securityValue) throw noSecret(name);
  return { receipt, securityValue };
}

/**
 * The value of one version of a secret, or of the current one. It is opened only after the audit row that says who took
 * it and why has been committed; a version that was destroyed by then is not given out, whatever the cache holds.
 * @throws {NotFound} when there is no such version; {@link EnvelopeDamaged} or {@link ForeignMasterKey} when it does not open.
 */
export async function revealSecret(
  ctx: Context,
  args: { readonly name: string; readonly version?: Maybe<number>; readonly reason: string },
): Promise<{ readonly value: string; readonly version: number; readonly changeId: string }> {
  const name = requireSecurityName(args.name);
  requireReason(args.reason);
  const found = await ctx.cache.read(secretView, name);
  if (found.kind === 'absent') throw noSecret(name);
  const asked = args.version ?? undefined;
  const version = found.value.versions.find(({ number, state }) =>
    asked === undefined ? state === 'CURRENT' : number === asked && state !== 'DESTROYED',
  );
  if (!version) throw noVersion(name, asked);
  const { number } = version;
  const { changeId, stored } = await audited(ctx, name, number, args.reason);
  const value = unseal(ctx.services.masterKey, { name, number }, envelopeOf(version) ?? stored);
  return { value, version: number, changeId: globalId('Change', changeId) };
}

/** Commits the audit row of a reveal, while the version is held against being destroyed. */
async function audited(ctx: Context, name: string, number: number, reason: string) {
  const changeId = randomUUID();
  const committing = inTransaction(ctx.services.db, async (tx) => {
    const stored = await findSealedVersion(tx, name, number);
    if (!stored) throw noVersion(name, number);
    await insertChange(tx, {
      id: changeId,
      actor: ctx.viewer.subject ?? 'nobody',
      action: 'revealSecret',
      domain: 'SECURITY_VALUE',
      key: name,
      reason,
      before: null,
      after: { version: number },
    });
    return stored;
  });
  return { changeId, stored: await withDeadline(committing, AUDIT_DEADLINE_MS) };
}

function envelopeOf({ ciphertext, wrappedKey }: SecretDocument['versions'][number]): Envelope | undefined {
  if (ciphertext === null || wrappedKey === null) return undefined;
  return { ciphertext: Buffer.from(ciphertext, 'base64'), wrappedKey: Buffer.from(wrappedKey, 'base64') };
}

function requireSecretValue(value: string): void {
  const path = ['value'];
  if (value === '') throw new Invalid('A secret has at least one character.', { path });
  if (Buffer.byteLength(value) > MAX_SECRET_BYTES) {
    throw new Invalid(`A secret has at most ${MAX_SECRET_BYTES} bytes in UTF-8.`, { path });
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new Invalid('The secret has half of a surrogate pair, which would not come back: send bytes in base64.', {
      path,
    });
  }
}

/** Undefined when nothing is said of it, null when the secret is never due. */
function requireRotation(days: Maybe<number>): number | null | undefined {
  if (days === undefined || days === null) return undefined;
  if (Number.isInteger(days) && days >= 0 && days <= MAX_ROTATION_DAYS) return days === 0 ? null : days;
  throw new Invalid(`rotateEveryDays is from 1 to ${MAX_ROTATION_DAYS}, or 0 for never.`, {
    path: ['rotateEveryDays'],
  });
}

function requireReason(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON_LENGTH && !/[\0\p{Surrogate}]/u.test(reason)) return;
  throw new Invalid('Say why, in 1 to 1,000 characters: the reason is kept in the audit log.', { path: ['reason'] });
}

const noSecret = (name: string) => new NotFound(`There is no secret ${name}; putSecret makes one.`, { path: ['name'] });

const noVersion = (name: string, number: number | undefined) =>
  new NotFound(
    number === undefined
      ? `The secret ${name} has no current version; putSecret makes one.`
      : `The secret ${name} has no version ${number}, or it is destroyed.`,
    { path: ['version'] },
  );
