// What `espelho verify` tells: each difference, and how many of a view's entries agree with SQL. Never a value.

import type { Difference, Verified } from '../cache/index.js';

/** How a whole view compares. */
export interface ViewReport {
  readonly view: string;
  readonly keys: number;
  readonly same: number;
  readonly missing: number;
  readonly fenced: number;
  readonly pending: number;
  readonly mismatches: number;
  /** Of the mismatches, how many were dropped. */
  readonly repaired: number;
  readonly ms: number;
}

/** Adds up the pages of a view. */
export function reportOf(view: string, pages: readonly Verified[], ms: number): ViewReport {
  const sum = (count: (page: Verified) => number) => pages.reduce((total, page) => total + count(page), 0);
  const of = (is: (difference: Difference) => boolean) => sum(({ differences }) => differences.filter(is).length);
  return {
    view,
    keys: sum(({ keys }) => keys),
    same: sum(({ same }) => same),
    missing: sum(({ missing }) => missing),
    fenced: of(({ cause }) => cause === 'fenced'),
    pending: of(({ cause }) => cause === 'pending'),
    mismatches: of(({ cause }) => cause === 'mismatch'),
    repaired: of(({ repaired }) => repaired),
    ms: Math.round(ms),
  };
}

/** Such as `menu main:en: mismatch; the cache has version 12, SQL 15`. */
export function differenceInWords({ view, key, cause, storeVersion, sqlVersion, repaired }: Difference): string {
  const versions =
    storeVersion === sqlVersion
      ? `both have version ${sqlVersion}, with other content`
      : `the cache has ${storeVersion === null ? 'no value' : `version ${storeVersion}`}, SQL ${sqlVersion}`;
  const what = {
    fenced: 'a transaction is about to commit',
    pending: `its change is on its way; ${versions}`,
    mismatch: `mismatch; ${versions}${repaired ? '; dropped' : ''}`,
  };
  return `${view} ${key}: ${what[cause]}\n`;
}

export function reportInWords({ view, keys, same, missing, ...report }: ViewReport): string {
  const count = (number: number) => number.toLocaleString('en');
  const { fenced, pending, mismatches, repaired, ms } = report;
  const others = [
    missing > 0 && `${count(missing)} not in the cache`,
    fenced > 0 && `${count(fenced)} about to be written`,
    pending > 0 && `${count(pending)} on the way`,
    mismatches > 0 && `${count(mismatches)} wrong${repaired > 0 ? ` (${count(repaired)} dropped)` : ''}`,
  ].filter((part) => part !== false);
  return `${[`${view}: ${count(same)} of ${count(keys)} entries agree with SQL`, ...others].join(', ')}, after ${count(ms)} ms.\n`;
}
