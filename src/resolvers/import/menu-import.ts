// Writes a menu from a file: one transaction makes the menu exactly what the file says, and a file imported twice
// changes nothing.

import { basename } from 'node:path';
import { findMenuTitle } from '../../db/import.js';
import {
  type Db,
  inTransaction,
  lockRoots,
  type NewMenuItem,
  putMenu,
  replaceMenuItems,
  type Tx,
} from '../../db/index.js';
import { requireLocale } from '../locale.js';
import { requireKey } from '../menu-item.js';
import { type ImportOutcome, ImportTally } from './import-report.js';
import type { Progress } from './lines.js';
import { requireReadable } from './readable.js';
import { readTaxonomy } from './taxonomy.js';

export interface MenuImportOptions {
  /** Else the file's name without its endings: `categories` of `categories.pt-BR.txt.gz`. */
  readonly key?: string;
  /** Else what the file's name ends in, such as `pt-BR`, or `en`. */
  readonly locale?: string;
  /** Else the title that the menu has, or its key with a capital. */
  readonly title?: string;
  /** All checks, nothing written. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export const menuFormatNames: readonly string[] = ['taxonomy'];

/**
 * Makes the menu what `file` says: items that the file lacks are removed. The report counts items.
 * A refused line is left out with everything below it. Nothing is written when no line is an item, or when the file
 * breaks off, since what followed is unknown then.
 * @throws {ImportFailed} when the file cannot be read; {@link Invalid} when its key or locale is none.
 */
export async function importMenu(db: Db, file: string, options: MenuImportOptions = {}): Promise<ImportOutcome> {
  const name = menuNameOf(file, options);
  await requireReadable([file]);
  const tally = new ImportTally();
  const items: NewMenuItem[] = [];
  let breakLine: number | undefined;
  for await (const record of readTaxonomy(file, options.onProgress && { onProgress: options.onProgress })) {
    if (record.kind === 'refused') {
      tally.refuse({ file, line: record.line, reason: record.reason });
      if (record.breaksOff) breakLine = record.line;
    } else {
      const { key, parentKey, position, label } = record.value;
      items.push({ key, parentKey, position, label, ...plain });
    }
  }
  if (items.length === 0) {
    tally.note({ file, line: 0, reason: 'No line of the file is a menu item; nothing was written.' });
  } else if (breakLine !== undefined) {
    const reason = 'The file breaks off here, and a menu is replaced whole; nothing of it was written.';
    tally.refuse({ file, line: breakLine, reason }, items.length);
  } else {
    const { written, changed } = await writeMenu(db, name, items, options);
    tally.write(written);
    tally.keep(items.length - written);
    tally.changed ||= changed;
  }
  return tally.outcome();
}

export interface MenuName {
  readonly key: string;
  readonly locale: string;
}

/**
 * The menu that a file is imported as.
 * @throws {Invalid} when its key or locale is none.
 */
export function menuNameOf(file: string, given: { readonly key?: string; readonly locale?: string } = {}): MenuName {
  const name = basename(file).replace(/\.gz$/i, '');
  const stem = name.replace(/(?<=.)\.(txt|taxonomy)$/i, '');
  const [, key = stem, locale = 'en'] =
    /^(.+)[._]([a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_][A-Z]{2})?)$/.exec(stem) ?? [];
  return {
    key: requireKey(given.key ?? key, ['key']),
    locale: requireLocale(given.locale ?? locale.replaceAll('_', '-')),
  };
}

const plain = { url: null, visibleFrom: null, visibleUntil: null, requiredScope: null };

async function writeMenu(
  db: Db,
  { key, locale }: MenuName,
  items: readonly NewMenuItem[],
  { title, dryRun }: MenuImportOptions,
): Promise<{ written: number; changed: boolean }> {
  let outcome = { written: 0, changed: false };
  const write = async (tx: Tx) => {
    await lockRoots(tx, [{ view: 'menu', key: `${key}:${locale}` }]);
    const standing = await findMenuTitle(tx, key, locale);
    const wanted = title ?? standing ?? `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
    const { written, removed } = await replaceMenuItems(tx, await putMenu(tx, key, locale, wanted), items);
    outcome = { written, changed: written + removed > 0 || wanted !== standing };
    if (dryRun) throw new DryRun();
  };
  try {
    await inTransaction(db, write);
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return outcome;
}

/** Rolls a transaction back that did what was to be found out. */
class DryRun extends Error {
  override readonly name = 'DryRun';
}
