// Audit rows of what is no transaction in Postgres: written before it is done, so that nothing is done unseen.
import { randomUUID } from 'node:crypto';
import { type ChangeDomain, insertChange, inTransaction, withDeadline } from '../db/index.js';
import type { Context } from './context.js';

const DEADLINE_MS = 5_000;

/**
 * Commits an audit row that says what the caller is about to do.
 * @throws {DatabaseUnavailable} when it cannot be told whether it stands; then nothing must be done.
 */
export async function announce(
  ctx: Context,
  row: { readonly action: string; readonly domain: ChangeDomain; readonly key: string; readonly after: unknown },
): Promise<void> {
  const actor = ctx.viewer.subject ?? 'nobody';
  const committing = inTransaction(ctx.services.db, (tx) => insertChange(tx, { id: randomUUID(), actor, ...row }));
  await withDeadline(committing, DEADLINE_MS);
}
