// What a write tells the store of the entries that it changed, found out in its own transaction.
import type { Committed, Delta, EntryRef, Loaded } from '../cache/index.js';
import { type ChangedRoot, type LockedRoot, type Tx, txQuery } from '../db/index.js';
import type { Services } from './context.js';

/** View and value of each entry. */
export type ReadBack = readonly (readonly [string, Loaded])[];

/**
 * The values of what this transaction changed, as it will commit them: one statement per view, sent together. A view that this gateway
 * does not know, a newer one's perhaps, has none: its entries are fenced and dropped.
 */
export async function readBack({ cache }: Services, tx: Tx, changed: readonly EntryRef[]): Promise<ReadBack> {
  const views = [...new Set(changed.map(({ view }) => view))].filter((name) => cache.caches(name));
  const loaded = await Promise.all(
    views.map(async (view) => {
      const keys = changed.filter((each) => each.view === view).map(({ key }) => key);
      const rows = await cache.view(view).load(txQuery(tx), keys);
      return rows.map((row) => [view, row] as const);
    }),
  );
  return loaded.flat();
}

/** What the store is told of each entry: its value, or its version alone where none was read back. */
export function committedForms({ cache }: Services, changed: readonly ChangedRoot[], loaded: ReadBack): Committed[] {
  const byName = new Map(loaded.map(([view, row]) => [`${view}:${row.key}`, row]));
  return changed.map(({ view, key, version }) => {
    const row = byName.get(`${view}:${key}`);
    return row ? { view, key, version, stored: cache.storedForm(cache.view(view), row) } : { view, key, version };
  });
}

/** Deltas of entries whose root was locked before they changed; any other is published whole. */
export function patchForms(
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
