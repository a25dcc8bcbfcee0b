// The path of a write. Roots are locked in order before anything is read; the body's statements change rows; the
// change log tells which entries that touched; they are fenced; COMMIT; their new values are published; only then does
// the caller get a receipt that says visible.
import { randomUUID } from 'node:crypto';
import type { Committed, Delta, EntryRef, Fenced, Loaded } from '../cache/index.js';
import {
  type ChangeDomain,
  type ChangedRoot,
  changedRoots,
  closeForWrite,
  DatabaseError,
  DatabaseUnavailable,
  insertChange,
  type LockedRoot,
  lockRoots,
  outcomeOf,
  repeated,
  type Tx,
  txQuery,
  waitForBarrier,
  withDeadline,
  withoutParameters,
} from '../db/index.js';
import type { Context, Services } from './context.js';
import { Conflict, Invalid } from './errors.js';
import { globalId } from './global-id.js';
import type { Maybe } from './input.js';

export interface WriteOptions {
  readonly expectedVersion?: Maybe<bigint>;
  readonly idempotencyKey?: Maybe<string>;
  readonly dryRun?: Maybe<boolean>;
  readonly reason?: Maybe<string>;
}

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

type Body<Result> = (tx: Tx, roots: readonly LockedRoot[]) => Promise<Written<Result>>;

/** Above this many entries a write neither fences nor publishes: it is visible once the relay has covered it. */
const BULK_ENTRIES = 500;
const TRANSACTION_DEADLINE_MS = 15_000;
const OUTCOME_DEADLINE_MS = 5_000;

/**
 * Runs `body` in one transaction and acknowledges it. Either everything is committed or nothing is.
 * @throws {Conflict} when the first root no longer has the expected version.
 * @throws `CacheUnavailable` when the cache cannot be fenced; nothing is written, try again.
 * @throws {DatabaseUnavailable} when Postgres is out of reach; whether it was written is unknown only if the sentence says so.
 */
export async function write<Result>(
  ctx: Context,
  plan: Plan,
  body: Body<Result>,
): Promise<{ result: Result; receipt: Receipt }> {
  refuseUnbuilt(plan.options);
  return repeated(() => writeOnce(ctx, plan, body));
}

/** One transaction as far as it got before COMMIT. */
interface Prepared<Result> {
  readonly written: Written<Result>;
  readonly xid: string;
  readonly version: bigint;
  readonly committed: readonly Committed[];
  readonly loaded: readonly (readonly [string, Loaded])[];
  readonly bulk: boolean;
  readonly fenced: Fenced;
}

async function writeOnce<Result>(ctx: Context, plan: Plan, body: Body<Result>) {
  const { db, cache } = ctx.services;
  const changeId = randomUUID();
  let prepared: Prepared<Result> | undefined;
  let abandoned = false;
  try {
    const transaction = db.transaction(async (tx) => {
      const ready = await prepare(ctx, tx, plan, body, changeId);
      // Too late to commit: the caller has been told that nothing was written.
      if (abandoned) throw await lifted(ctx.services, ready);
      prepared = ready;
    });
    await withDeadline(transaction, TRANSACTION_DEADLINE_MS);
  } catch (thrown) {
    const error = withoutParameters(thrown);
    if (!prepared) {
      abandoned = true;
      throw error;
    }
    if (!(await committedAfterAll(ctx.services, prepared.xid, changeId, error))) {
      await cache.writer.lift(prepared.fenced);
      throw error;
    }
  }
  if (!prepared) throw new Error('The transaction ended without having run.');
  const visible = await settle(ctx.services, prepared);
  ctx.cache.clear();
  for (const [view, loaded] of prepared.loaded) ctx.cache.prime(cache.view(view), loaded);
  const receipt: Receipt = {
    changeId: globalId('Change', changeId),
    version: prepared.version,
    visible,
    dryRun: false,
  };
  return { result: prepared.written.result, receipt };
}

async function lifted({ cache }: Services, { fenced }: Prepared<unknown>): Promise<Error> {
  await cache.writer.lift(fenced);
  return new DatabaseUnavailable('The transaction took too long and was rolled back; try again.');
}

/** Everything before COMMIT, fences last. */
async function prepare<Result>(
  ctx: Context,
  tx: Tx,
  plan: Plan,
  body: Body<Result>,
  changeId: string,
): Promise<Prepared<Result>> {
  const { cache } = ctx.services;
  const roots = await lockRoots(tx, plan.roots);
  const [{ view, key }] = plan.roots;
  const root = roots.find((each) => each.view === view && each.key === key);
  requireVersion(plan.options, root);
  const written = await body(tx, roots);
  const audited = insertChange(tx, {
    id: changeId,
    actor: ctx.viewer.subject ?? 'nobody',
    action: plan.action,
    domain: plan.domain,
    key: plan.key,
    reason: plan.options?.reason ?? null,
    before: written.before ?? null,
    after: written.after ?? null,
  });
  const reading = changedRoots(tx);
  const guessed = written.deltas ? [] : readBack(ctx.services, tx, plan.roots);
  const [, { xid, changed }, expected] = await Promise.all([audited, reading, guessed]);
  const now = changed.find((each) => each.view === view && each.key === key);
  const version = now ? BigInt(now.version) : (root?.version ?? 0n);
  const bulk = changed.length > BULK_ENTRIES;
  const patches = bulk ? [] : patchForms(ctx.services, roots, changed, written.deltas ?? []);
  const whole = changed.filter((each) => !patches.some((patch) => patch.view === each.view && patch.key === each.key));
  const isExpected = ({ view, key }: EntryRef) => expected.some(([name, row]) => name === view && row.key === key);
  const others = bulk
    ? []
    : await readBack(
        ctx.services,
        tx,
        whole.filter((each) => !isExpected(each)),
      );
  const wanted = ([name, row]: readonly [string, Loaded]) =>
    whole.some(({ view, key }) => view === name && key === row.key);
  const loaded = bulk ? [] : [...expected.filter(wanted), ...others];
  const committed = [...committedForms(ctx.services, whole, loaded), ...patches];
  // Nothing changed: the version that stands may still have to reach the store.
  if (changed.length === 0) committed.push({ view, key, version: String(version) });
  const fenced = await cache.writer.fence(bulk ? [] : changed, xid, (partitions) =>
    closeForWrite(txQuery(tx), partitions, ctx.services.gatewayId),
  );
  return { written, xid, version, committed, loaded, bulk, fenced };
}

/**
 * The values of what this transaction changed, as it will commit them: one statement per view. A view that this gateway
 * does not know, a newer one's perhaps, has none: its entries are fenced and dropped.
 */
async function readBack(
  { cache }: Services,
  tx: Tx,
  changed: readonly EntryRef[],
): Promise<(readonly [string, Loaded])[]> {
  const loaded: (readonly [string, Loaded])[] = [];
  for (const view of new Set(changed.map((each) => each.view).filter((name) => cache.caches(name)))) {
    const keys = changed.filter((each) => each.view === view).map(({ key }) => key);
    const rows = await cache.view(view).load(txQuery(tx), keys);
    loaded.push(...rows.map((row) => [view, row] as const));
  }
  return loaded;
}

function committedForms(
  { cache }: Services,
  changed: readonly ChangedRoot[],
  loaded: readonly (readonly [string, Loaded])[],
): Committed[] {
  const byName = new Map(loaded.map(([view, row]) => [`${view}:${row.key}`, row]));
  return changed.map(({ view, key, version }) => {
    const row = byName.get(`${view}:${key}`);
    return row ? { view, key, version, stored: cache.storedForm(cache.view(view), row) } : { view, key, version };
  });
}

/** Deltas of entries whose root was locked before they changed; any other is published whole. */
function patchForms(
  { cache, now }: Services,
  roots: readonly LockedRoot[],
  changed: readonly ChangedRoot[],
  deltas: readonly Delta[],
): Committed[] {
  return deltas.flatMap((delta) => {
    const isIts = ({ view, key }: EntryRef) => view === delta.view && key === delta.key;
    const before = roots.find(isIts);
    const after = changed.find(isIts);
    if (!before || !after) return [];
    const versions = { from: String(before.version), version: after.version, changedAtMs: now() };
    return [cache.patchForm(delta, cache.view(delta.view), versions)];
  });
}

async function settle({ cache, db }: Services, prepared: Prepared<unknown>): Promise<boolean> {
  if (prepared.bulk) return waitForBarrier(db);
  return cache.writer.settle(prepared.fenced, prepared.committed);
}

/** Whether the transaction did commit although its connection was lost before the answer. */
async function committedAfterAll({ query }: Services, xid: string, changeId: string, error: unknown): Promise<boolean> {
  // Only an answer of Postgres proves that nothing was committed.
  if (error instanceof DatabaseError) return false;
  try {
    return (await outcomeOf(query, xid, changeId, Date.now() + OUTCOME_DEADLINE_MS)) === 'committed';
  } catch (cause) {
    // The fences stay: a reader or the sweep ends them once Postgres can tell.
    throw new DatabaseUnavailable(
      'Postgres was lost during COMMIT: read before you try again, it may have been written.',
      {
        cause,
      },
    );
  }
}

function requireVersion(options: Maybe<WriteOptions>, root: LockedRoot | undefined): void {
  const expected = options?.expectedVersion;
  if (expected === undefined || expected === null || !root || root.version === expected) return;
  throw new Conflict(
    `Version ${expected} was expected, but ${root.version} stands: read it and decide again.`,
    root.version,
  );
}

function refuseUnbuilt(options: Maybe<WriteOptions>): void {
  if (options?.dryRun) throw new Invalid('dryRun is not available yet: leave it out.', { path: ['options', 'dryRun'] });
  if (options?.idempotencyKey !== undefined && options.idempotencyKey !== null) {
    throw new Invalid('idempotencyKey is not available yet: leave it out.', { path: ['options', 'idempotencyKey'] });
  }
  if ((options?.reason?.length ?? 0) > 1_000) {
    throw new Invalid('A reason has at most 1,000 characters.', { path: ['options', 'reason'] });
  }
}
