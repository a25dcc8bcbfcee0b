// The path of a write. Roots are locked in order before anything is read; the body's statements change rows; the
// change log tells which entries that touched; they are fenced; COMMIT; their new values are published; only then does
// the caller get a receipt that says visible.
//
// What takes the time is to wait for answers: eight times in a row for a body of three statements, each of which needs the
// one before. BEGIN; locks and the body's first; its second; its third; audit row, changes and values;
// fences; COMMIT; publishing.
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Committed, Delta, EntryRef, Fenced, Loaded } from '../cache/index.js';
import {
  type ChangeDomain,
  changedRoots,
  closeForWrite,
  DatabaseUnavailable,
  insertChange,
  lockRoots,
  repeated,
  type Tx,
  txQuery,
  withDeadline,
  withoutParameters,
} from '../db/index.js';
import { isCarriedOver } from './carried-over.js';
import type { Context, Services } from './context.js';
import { globalId } from './global-id.js';
import { recall } from './idempotency.js';
import type { Remembered } from './idempotency-answer.js';
import type { Maybe } from './input.js';
import { committedAfterAll } from './lost-commit.js';
import { committedForms, patchForms, type ReadBack, readBack } from './read-back.js';
import { Rehearsed } from './rehearsal.js';
import { requireOptions, requireVersion, type WriteOptions } from './write-options.js';

export type { WriteOptions } from './write-options.js';

export interface Receipt {
  readonly changeId: string | null;
  readonly version: bigint | null;
  /** Every gateway's next read returns this write or a newer one. */
  readonly visible: boolean;
  readonly dryRun: boolean;
}

export interface Plan {
  readonly action: string;
  readonly domain: ChangeDomain;
  /** What the audit log files the change under. */
  readonly key: string;
  /** The entries whose roots order this write; the first one's version is the one expected and receipted. */
  readonly roots: readonly [EntryRef, ...EntryRef[]];
  readonly options: Maybe<WriteOptions>;
}

/** What a mutation came to. A rehearsed one was a dry run; a replayed one was written before, under the same idempotency key. */
export interface Outcome<Result> {
  readonly kind: 'written' | 'replayed' | 'rehearsed';
  readonly result: Result;
  readonly receipt: Receipt;
}

/** What a body hands back: its result, and the facts for the audit log. Never a secret. */
export interface Written<Result> {
  readonly result: Result;
  readonly before?: unknown;
  readonly after?: unknown;
  /**
   * Changes of single members of entries among the plan's roots: published instead of their whole values. Each must name
   * all that the transaction changed in its entry.
   */
  readonly deltas?: readonly Delta[];
}

/**
 * Its first statement is sent together with the locks, and runs once they are held. It may be under way for nothing: its
 * result counts only where the locks were given and the version is the one expected.
 */
type Body<Result> = (tx: Tx) => Promise<Written<Result>>;

/** Above this many entries a write neither fences nor publishes: it is visible once the relay has covered it. */
const BULK_ENTRIES = 500;
/** Of a transaction that fences nothing: no fence bears it. */
const NO_XID = '0';
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

/** One transaction as far as it got before COMMIT. */
interface Prepared<Result> {
  readonly kind: 'written' | 'replayed';
  readonly result: Result;
  readonly changeId: string;
  readonly xid: string;
  readonly version: bigint;
  readonly committed: readonly Committed[];
  readonly loaded: ReadBack;
  readonly bulk: boolean;
  readonly fenced: Fenced;
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

/** Everything before COMMIT. */
async function prepare<Result>(
  ctx: Context,
  tx: Tx,
  plan: Plan,
  body: Body<Result>,
  changeId: string,
): Promise<Prepared<Result>> {
  const { cache } = ctx.services;
  const { action, options } = plan;
  const memory = options?.idempotencyKey ? await recall<Result>(ctx, tx, action, options) : undefined;
  if (memory?.kind === 'known') return replayed(memory.first, options);
  // A turn later the driver has the locks' statements, and sends the body's first behind them.
  const [locking, writing] = await Promise.allSettled([lockRoots(tx, plan.roots), nextTurn().then(() => body(tx))]);
  const roots = fulfilled(locking);
  const [{ view, key }] = plan.roots;
  const root = roots.find((each) => each.view === view && each.key === key);
  requireVersion(options, root);
  const written = fulfilled(writing);
  const audited = options?.dryRun ? undefined : insertChange(tx, auditRow(ctx, plan, changeId, written));
  const guessed = written.deltas ? [] : readBack(ctx.services, tx, plan.roots);
  const [, { xid, changed }, expected] = await Promise.all([audited, changedRoots(tx), guessed]);
  const now = changed.find((each) => each.view === view && each.key === key);
  const version = now ? BigInt(now.version) : (root?.version ?? 0n);
  const bulk = changed.length > BULK_ENTRIES;
  const patches = bulk ? [] : patchForms(ctx.services, roots, changed, written.deltas ?? []);
  const whole = changed.filter((each) => !patches.some((patch) => patch.view === each.view && patch.key === each.key));
  const isExpected = ({ view, key }: EntryRef) => expected.some(([name, row]) => name === view && row.key === key);
  const missing = bulk ? [] : whole.filter((each) => !isExpected(each));
  const { result } = written;
  if (options?.dryRun) {
    const shown = [...expected, ...(await readBack(ctx.services, tx, missing))];
    throw new Rehearsed({ result, version: root?.version || null, loaded: shown });
  }
  // Where nothing changed, the version that stands may still have to reach the store.
  const touched = changed.length > 0 ? changed : [{ view, key, version: String(version) }];
  const facts = { result, changeId, version, bulk };
  const [fencing, reading] = await Promise.allSettled([
    cache.writer.fence(bulk ? [] : touched, xid, (partitions) =>
      closeForWrite(txQuery(tx), partitions, ctx.services.gatewayId),
    ),
    readBack(ctx.services, tx, missing).then(async (others) => {
      await memory?.keep({ ...facts, committed: touched, loaded: kept(ctx.services, [...expected, ...others]) });
      return others;
    }),
  ]);
  const fenced = fulfilled(fencing);
  if (reading.status === 'rejected') await cache.writer.lift(fenced);
  const others = fulfilled(reading);
  const wanted = ([name, row]: readonly [string, Loaded]) =>
    whole.some(({ view, key }) => view === name && key === row.key);
  const loaded = bulk ? [] : [...expected.filter(wanted), ...others];
  const committed = [...committedForms(ctx.services, whole, loaded), ...patches];
  return { kind: 'written', ...facts, xid, committed: changed.length > 0 ? committed : touched, loaded, fenced };
}

function auditRow<Result>(ctx: Context, plan: Plan, id: string, { before, after }: Written<Result>) {
  const { action, domain, key, options } = plan;
  const actor = ctx.viewer.subject ?? 'nobody';
  return {
    id,
    actor,
    action,
    domain,
    key,
    reason: options?.reason ?? null,
    before: before ?? null,
    after: after ?? null,
  };
}

/** No payload is read by the digest of a secret. */
const kept = ({ cache }: Services, loaded: ReadBack): ReadBack =>
  loaded.filter(([name]) => !cache.view(name).keyIsDigest);

function fulfilled<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/**
 * What the first run under the same idempotency key came to. Nothing is written; whether every gateway shows it is
 * confirmed anew.
 */
function replayed<Result>(first: Remembered<Result>, options: Maybe<WriteOptions>): Prepared<Result> {
  if (options?.dryRun) throw new Rehearsed(first);
  return { kind: 'replayed', ...first, xid: NO_XID, fenced: { xid: NO_XID, entries: [], closed: [] } };
}

async function settle(services: Services, prepared: Prepared<unknown>): Promise<boolean> {
  if (prepared.bulk) return isCarriedOver(services);
  return services.cache.writer.settle(prepared.fenced, prepared.committed);
}
