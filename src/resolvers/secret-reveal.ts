// Revealing a secret: who asked, and why, is committed to the audit log before anything is decrypted, and nobody reveals
// more than so many in a while.
import { randomUUID } from 'node:crypto';
import {
  type Allowance,
  findSealedVersion,
  insertChange,
  inTransaction,
  takeAllowance,
  withDeadline,
} from '../db/index.js';
import type { Context } from './context.js';
import { type Envelope, unseal } from './envelope.js';
import { RateLimited } from './errors.js';
import { globalId } from './global-id.js';
import type { Maybe } from './input.js';
import { type SecretDocument, secretView } from './secret.js';
import { endedVersion, noSecret, noVersion, requireReason } from './secret-input.js';
import { requireSecurityName } from './security-record.js';

/** Of one subject on all gateways together: an application that starts needs some at once, and hardly any afterwards. */
export const REVEAL_ALLOWANCE: Allowance = { burst: 60, perSecond: 1 };
const AUDIT_DEADLINE_MS = 5_000;

export interface Revealed {
  readonly value: string;
  readonly version: number;
  /** Of the audit row. */
  readonly changeId: string;
}

/**
 * The value of one version of a secret, or of the current one. It is opened only after the audit row that says who took
 * it and why has been committed; a version that was destroyed by then, or whose overlap is over, is not given out,
 * whatever the cache holds.
 * @throws {NotFound} when there is no such version; {@link RateLimited} when the caller has revealed too many;
 * {@link EnvelopeDamaged} or {@link ForeignMasterKey} when it does not open.
 */
export async function revealSecret(
  ctx: Context,
  args: { readonly name: string; readonly version?: Maybe<number>; readonly reason: string },
): Promise<Revealed> {
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

/** Commits the audit row of a reveal, while the version is held against being destroyed. What is refused costs nothing. */
async function audited(ctx: Context, name: string, number: number, reason: string) {
  const changeId = randomUUID();
  const actor = ctx.viewer.subject ?? 'nobody';
  const committing = inTransaction(ctx.services.db, async (tx) => {
    if (!(await takeAllowance(tx, actor, REVEAL_ALLOWANCE))) throw tooMany();
    const stored = await findSealedVersion(tx, name, number);
    if (!stored) throw noVersion(name, number);
    if (stored.ended) throw endedVersion(name, number);
    await insertChange(tx, {
      id: changeId,
      actor,
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

const tooMany = () =>
  new RateLimited(
    `A caller reveals ${REVEAL_ALLOWANCE.burst} secrets at once and one more each second: wait, and keep what you revealed in memory.`,
  );

function envelopeOf({ ciphertext, wrappedKey }: SecretDocument['versions'][number]): Envelope | undefined {
  if (ciphertext === null || wrappedKey === null) return undefined;
  return { ciphertext: Buffer.from(ciphertext, 'base64'), wrappedKey: Buffer.from(wrappedKey, 'base64') };
}
