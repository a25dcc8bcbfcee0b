// The path of a write. Roots are locked in order before anything is read; the body's statements change rows; the
// change log tells which entries that touched; they are fenced; COMMIT; their new values are published; only then does
// the caller get a receipt that says visible.
//
// What takes the time is to wait for answers: seven times in a row for a body of three statements, each of which needs the
// one before. BEGIN, locks and the body's first; its second; its third; audit row, changes and values; fences; COMMIT;
// publishing.
import { randomUUID } from 'node:crypto';
import { DatabaseUnavailable, repeated, withDeadline, withoutParameters } from '../db/index.js';
import { isCarriedOver } from './carried-over.js';
import type { Context, Services } from './context.js';
import { globalId } from './global-id.js';
import { committedAfterAll } from './lost-commit.js';
import { type Body, type Plan, type Prepared, prepare } from './prepared-write.js';
import type { ReadBack } from './read-back.js';
import { Rehearsed } from './rehearsal.js';
import { requireOptions } from './write-options.js';

export type { Plan, Written } from './prepared-write.js';
export type { WriteOptions } from './write-options.js';

export interface Receipt {
  readonly changeId: string | null;
  readonly version: bigint | null;
  /** Every gateway's next read returns this write or a newer one. */
  readonly visible: boolean;
  readonly dryRun: boolean;
}

/** What a mutation came to. A rehearsed one was a dry run; a replayed one was written before, under the same idempotency key. */
export interface Outcome<Result> {
  readonly kind: 'written' | 'replayed' | 'rehearsed';
  readonly result: Result;
  readonly receipt: Receipt;
}

const TRANSACTION_DEADLINE_MS = 15_000;

/**
 * Runs `body` in one transaction and acknowledges it. Either everything is committed or nothing is. Whoever reads what
 * was changed through `ctx.cache` afterwards sees it as this mutation left it: of a dry run what would be, of a replay
 * what the first run left.
 * @throws {KeyReused} when the idempotency key stands for other input.
 * @throws {Conflict} when the first root no longer has the expected version.
 * @throws `CacheUnavailable` when the cache cannot be fenced; nothing is written, try again.
 * @throws {DatabaseUnavailable} when Postgres is out of reach; whether it was written is unknown only if the sentence says so.
 */
export async function write<Result>(ctx: Context, plan: Plan, body: Body<Result>): Promise<Outcome<Result>> {
  requireOptions(plan.options);
  return repeated(() => writeOnce(ctx, plan, body));
}

async function writeOnce<Result>(ctx: Context, plan: Plan, body: Body<Result>): Promise<Outcome<Result>> {
  const { db, cache } = ctx.services;
  const changeId = randomUUID();
  let prepared: Prepared<Result> | undefined;
  let abandoned = false;
  try {
    const transaction = db.transaction(async (tx) => {
      if (abandoned) throw tooLate();
      const ready = await prepare(ctx, tx, plan, body, changeId);
      // Too late to commit: the caller has been told that nothing was written.
      if (abandoned) {
        await cache.writer.lift(ready.fenced);
        throw tooLate();
      }
      prepared = ready;
    });
    await withDeadline(transaction, TRANSACTION_DEADLINE_MS);
  } catch (thrown) {
    if (thrown instanceof Rehearsed) return rehearsed(ctx, thrown);
    const error = withoutParameters(thrown);
    if (!prepared) {
      abandoned = true;
      throw error;
    }
    if (!(await committedAfterAll(ctx.services, prepared.xid, prepared.changeId, error))) {
      await cache.writer.lift(prepared.fenced);
      throw error;
    }
  }
  if (!prepared) throw new Error('The transaction ended without having run.');
  const visible = await settle(ctx.services, prepared);
  takeIn(ctx, prepared.loaded);
  const { kind, result, version } = prepared;
  const receipt: Receipt = { changeId: globalId('Change', prepared.changeId), version, visible, dryRun: false };
  return { kind, result, receipt };
}

/** A dry run's answer: its transaction was rolled back before anything was fenced. */
function rehearsed<Result>(ctx: Context, { result, version, loaded }: Rehearsed<Result>): Outcome<Result> {
  takeIn(ctx, loaded);
  return { kind: 'rehearsed', result, receipt: { changeId: null, version, visible: false, dryRun: true } };
}

/** From now on this request reads these values, and of everything else what the cache says now. */
function takeIn(ctx: Context, loaded: ReadBack): void {
  ctx.cache.clear();
  for (const [view, row] of loaded) ctx.cache.prime(ctx.services.cache.view(view), row);
}

const tooLate = () => new DatabaseUnavailable('The transaction took too long and was rolled back; try again.');

async function settle(services: Services, prepared: Prepared<unknown>): Promise<boolean> {
  if (prepared.bulk) return isCarriedOver(services);
  return services.cache.writer.settle(prepared.fenced, prepared.committed);
}
