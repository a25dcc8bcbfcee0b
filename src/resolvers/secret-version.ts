// Versions of a secret after they were replaced: one of them made current again, or its value destroyed for good.
import {
  destroyVersion,
  findSecretNumbers,
  findSecurityValue,
  findVersionState,
  restoreSecretVersion,
  type SecretState,
  type Tx,
  vacuumSecretVersions,
} from '../db/index.js';
import type { Context } from './context.js';
import type { Maybe } from './input.js';
import { requireSecret, secretPlan } from './secret.js';
import { noSecret, noVersion } from './secret-input.js';
import { requireKind, requireSecurityName } from './security-record.js';
import { type WriteOptions, write } from './write.js';

export interface VersionArgs {
  readonly name: string;
  readonly version: number;
}

/**
 * Makes a replaced version the current one again, also after its overlap; the one that was current becomes PREVIOUS,
 * without an end. The value keeps its number and its age, so its rotation may be due at once. Restoring the current
 * version changes nothing.
 * @throws {NotFound} when there is no such version, or it is destroyed.
 */
export async function restoreSecret(ctx: Context, args: VersionArgs, options?: Maybe<WriteOptions>) {
  const name = requireSecurityName(args.name);
  const number = args.version;
  const { receipt } = await write(ctx, secretPlan('restoreSecret', name, options), async (tx) => {
    const state = await requireVersion(tx, name, number);
    if (state === 'DESTROYED') throw noVersion(name, number);
    const { current } = await findSecretNumbers(tx, name);
    if (state === 'PREVIOUS') await restoreSecretVersion(tx, name, number);
    return { result: undefined, before: { version: current === 0 ? null : current }, after: { version: number } };
  });
  return { receipt, securityValue: await requireSecret(ctx, name) };
}

/**
 * Destroys the value of a version, the current one too: once this is acknowledged as visible its ciphertext is in no row
 * of Postgres and no entry of Redis, and nobody can reveal or restore it. Destroying it again changes nothing.
 * @throws {NotFound} when there is no such version.
 */
export async function destroySecretVersion(ctx: Context, args: VersionArgs, options?: Maybe<WriteOptions>) {
  const name = requireSecurityName(args.name);
  const number = args.version;
  const { kind, receipt } = await write(ctx, secretPlan('destroySecretVersion', name, options), async (tx) => {
    const state = await requireVersion(tx, name, number);
    if (state !== 'DESTROYED') await destroyVersion(tx, name, number);
    return { result: undefined, before: { version: number, state }, after: { version: number, state: 'DESTROYED' } };
  });
  // What cannot be given up now, Postgres gives up at its next own VACUUM.
  if (kind !== 'rehearsed') await vacuumSecretVersions(ctx.services.db).catch(() => {});
  return { receipt, securityValue: await requireSecret(ctx, name) };
}

async function requireVersion(tx: Tx, name: string, number: number): Promise<SecretState> {
  const standing = await findSecurityValue(tx, name);
  requireKind(standing, 'SECRET');
  if (!standing) throw noSecret(name);
  const state = await findVersionState(tx, name, number);
  if (!state) throw noVersion(name, number);
  return state;
}
