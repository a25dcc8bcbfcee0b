// All of a write that comes before COMMIT: locks, the body's statements, the audit row, which entries that touched and
// their new values, and their fences.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Committed, Delta, EntryRef, Fenced, Loaded } from '../cache/index.js';
import {
  type ChangeDomain,
  changedRoots,
  closeForWrite,
  insertChange,
  lockRoots,
  type Tx,
  txQuery,
} from '../db/index.js';
import type { Context, Services } from './context.js';
import { recall } from './idempotency.js';
import type { Remembered } from './idempotency-answer.js';
import type { Maybe } from './input.js';
import { committedForms, patchForms, type ReadBack, readBack } from './read-back.js';
import { Rehearsed } from './rehearsal.js';
import { requireVersion, type WriteOptions } from './write-options.js';

export interface Plan {
  readonly action: string;
  readonly domain: ChangeDomain;
  /** What the audit log files the change under. */
  readonly key: string;
  /** The entries whose roots order this write; the first one's version is the one expected and receipted. */
  readonly roots: readonly [EntryRef, ...EntryRef[]];
  readonly options: Maybe<WriteOptions>;
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
export type Body<Result> = (tx: Tx) => Promise<Written<Result>>;

/** Above this many entries a write neither fences nor publishes: it is visible once the relay has covered it. */
const BULK_ENTRIES = 500;
/** Of a transaction that fences nothing: no fence bears it. */
const NO_XID = '0';
/** One transaction as far as it got before COMMIT. */
export interface Prepared<Result> {
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

/**
 * Everything before COMMIT.
 * @throws {Rehearsed} at the end of a dry run.
 */
export async function prepare<Result>(
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
