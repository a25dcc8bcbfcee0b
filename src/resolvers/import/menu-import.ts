// Writes menus from files: one transaction makes a menu exactly what its file says, and a file imported twice changes
// nothing.

import { basename } from 'node:path';
import { findMenuTitle } from '../../db/import.js';
import {
  type Db,
  insertChange,
  inTransaction,
  lockRoots,
  type NewMenuItem,
  putMenu,
  replaceMenuItems,
  type Tx,
} from '../../db/index.js';
import { Invalid } from '../errors.js';
import { requireLocale } from '../locale.js';
import { requireKey, requireLabel } from '../menu-item.js';
import { ImportFailed } from './errors.js';
import { type ImportOutcome, ImportTally, joined } from './import-report.js';
import { type Progress, readBytes } from './lines.js';
import { menuFromJson } from './menu-json.js';
import { type LabelFiles, labelsOf, localeOfLabels, readLabelFiles } from './menu-labels.js';
import { requireReadable } from './readable.js';
import { readJsonFile } from './security-json.js';
import { readTaxonomy } from './taxonomy.js';

export interface MenuImportOptions {
  /** One of {@link menuFormatNames}; else what the file looks like. */
  readonly format?: string | undefined;
  /** Else the file's name without its endings: `categories` of `categories.pt-BR.txt.gz`. */
  readonly key?: string | undefined;
  /** Else what the file's name ends in, such as `pt-BR`, or `en`. With label files each gives a locale of its own. */
  readonly locale?: string | undefined;
  /** Else what a JSON file says, or the title that the menu has, or its key with a capital. */
  readonly title?: string | undefined;
  /** Of a JSON file, names between dots that lead to the menu in it. */
  readonly part?: string | undefined;
  /** Of a JSON file, files with its labels, one per locale: each makes a menu. */
  readonly labels?: readonly string[] | undefined;
  /** All checks, nothing written. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export const menuFormatNames: readonly string[] = ['taxonomy', 'json'];

/**
 * Makes the menu, or with label files one menu per locale, what `file` says: items that the file lacks are removed. The
 * report counts items. What is refused is left out with everything below it. Nothing is written when nothing is an item,
 * or when the file breaks off, since what followed is unknown then.
 * @throws {ImportFailed} when a file cannot be read; {@link Invalid} when a key or locale is none.
 */
export async function importMenu(db: Db, file: string, options: MenuImportOptions = {}): Promise<ImportOutcome> {
  const names = menuNamesOf(file, options);
  await requireReadable([file, ...(options.labels ?? [])]);
  const format = options.format ?? ((await looksLikeJson(file)) ? 'json' : 'taxonomy');
  if (format !== 'json' && (options.labels || options.part !== undefined)) {
    throw new ImportFailed(`${file} is no JSON; labels and parts are of JSON files alone. Nothing was imported.`);
  }
  const files = await readLabelFiles(options.labels ?? [], options.locale);
  const outcomes: ImportOutcome[] = [];
  for (const name of names) {
    const tally = new ImportTally();
    const read =
      format === 'json' ? await fromJson(file, name, files, options, tally) : await fromTaxonomy(file, options, tally);
    if (read.items.length === 0) {
      tally.note({ file, line: 0, reason: 'Nothing in the file is a menu item; nothing was written.' });
    } else if (read.breakLine !== undefined) {
      const reason = 'The file breaks off here, and a menu is replaced whole; nothing of it was written.';
      tally.refuse({ file, line: read.breakLine, reason }, read.items.length);
    } else {
      const { written, changed } = await writeMenu(db, name, read, options);
      tally.write(written);
      tally.keep(read.items.length - written);
      tally.changed ||= changed;
    }
    outcomes.push(tally.outcome());
  }
  return joined(outcomes);
}

export interface MenuName {
  readonly key: string;
  readonly locale: string;
}

/**
 * The menus that a file is imported as: one, or one for each of its label files. Where a locale is given it is that one
 * alone, and the files of others have the labels that it lacks.
 * @throws {Invalid} when a key, locale or title is none, or two label files are of one locale.
 */
export function menuNamesOf(file: string, options: MenuImportOptions = {}): readonly MenuName[] {
  const { labels, locale, title } = options;
  const name = menuNameOf(file, options);
  if (title !== undefined) requireLabel(title, ['title']);
  if (!labels) return [name];
  const locales = labels.length === 1 && locale !== undefined ? [name.locale] : labels.map(localeOfLabels);
  const twice = locales.find((each, at) => locales.indexOf(each) !== at);
  if (twice !== undefined) throw new Invalid(`Two of the label files are of ${twice}; name one.`, { path: ['labels'] });
  return (locale === undefined ? locales : [name.locale]).map((each) => ({ key: name.key, locale: each }));
}

/**
 * The menu that a file is imported as.
 * @throws {Invalid} when its key or locale is none.
 */
export function menuNameOf(file: string, given: Pick<MenuImportOptions, 'key' | 'locale' | 'part'> = {}): MenuName {
  const name = basename(file).replace(/\.gz$/i, '');
  const stem = name.replace(/(?<=.)\.(txt|taxonomy|json)$/i, '');
  const [, key = stem, locale = 'en'] =
    /^(.+)[._]([a-z]{2,3}(?:[-_][A-Z][a-z]{3})?(?:[-_][A-Z]{2})?)$/.exec(stem) ?? [];
  return {
    key: requireKey(given.key ?? [key, ...(given.part === undefined ? [] : [given.part])].join('.'), ['key']),
    locale: requireLocale(given.locale ?? locale.replaceAll('_', '-')),
  };
}

/** What a file says that a menu is. */
interface ReadMenu {
  readonly title: string | undefined;
  readonly items: readonly NewMenuItem[];
  /** Where the file breaks off. */
  readonly breakLine?: number | undefined;
}

const plain = { url: null, visibleFrom: null, visibleUntil: null, requiredScope: null };

async function fromTaxonomy(file: string, { onProgress }: MenuImportOptions, tally: ImportTally): Promise<ReadMenu> {
  const items: NewMenuItem[] = [];
  let breakLine: number | undefined;
  for await (const record of readTaxonomy(file, onProgress && { onProgress })) {
    if (record.kind === 'refused') {
      tally.refuse({ file, line: record.line, reason: record.reason });
      if (record.breaksOff) breakLine = record.line;
    } else {
      const { key, parentKey, position, label } = record.value;
      items.push({ key, parentKey, position, label, ...plain });
    }
  }
  return { title: undefined, items, breakLine };
}

async function fromJson(
  file: string,
  { locale }: MenuName,
  files: LabelFiles,
  { part, onProgress }: MenuImportOptions,
  tally: ImportTally,
): Promise<ReadMenu> {
  const read = await readJsonFile(file, onProgress);
  if (read.kind === 'refused') {
    tally.refuse({ file, line: read.line, reason: read.reason });
    return { title: undefined, items: [] };
  }
  const labels = files.size > 0 ? labelsOf(files, locale) : undefined;
  const { title, items, refused, notes } = menuFromJson(read.json, { part, labels, locale });
  const told = (place: string, reason: string) => ({
    file,
    line: 0,
    reason: place === '' ? reason : `${place}: ${reason}`,
  });
  for (const { place, reason, records } of refused) tally.refuse(told(place, reason), records);
  for (const { place, reason } of notes) tally.note(told(place, files.size > 0 ? `${locale}: ${reason}` : reason));
  return { title, items };
}

/** Whether the first sign of the file that is no blank begins a JSON object or list. */
async function looksLikeJson(file: string): Promise<boolean> {
  try {
    for await (const chunk of readBytes(file)) {
      const [sign] = Buffer.from(chunk)
        .toString('latin1')
        .replace(/^\u00ef\u00bb\u00bf/, '')
        .trimStart();
      if (sign !== undefined) return sign === '{' || sign === '[';
    }
  } catch {
    // The reader says what is wrong with the file.
  }
  return false;
}

async function writeMenu(
  db: Db,
  { key, locale }: MenuName,
  { title, items }: ReadMenu,
  options: MenuImportOptions,
): Promise<{ written: number; changed: boolean }> {
  let outcome = { written: 0, changed: false };
  const write = async (tx: Tx) => {
    await lockRoots(tx, [{ view: 'menu', key: `${key}:${locale}` }]);
    const standing = await findMenuTitle(tx, key, locale);
    const wanted = options.title ?? title ?? standing ?? `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
    const { written, removed } = await replaceMenuItems(tx, await putMenu(tx, key, locale, wanted), items);
    outcome = { written, changed: written + removed > 0 || wanted !== standing };
    if (options.dryRun) throw new DryRun();
    if (!outcome.changed) return;
    await insertChange(tx, {
      id: crypto.randomUUID(),
      actor: 'cli',
      action: 'importMenu',
      domain: 'MENU',
      key: `${key}:${locale}`,
      after: { title: wanted, items: items.length, written, removed },
    });
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
