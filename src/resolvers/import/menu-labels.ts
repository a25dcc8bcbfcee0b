// Labels that stand beside a menu, in one JSON file per locale: the menu names each by a key, such as `nav.links.about`.
import { basename } from 'node:path';
import { localeChain, requireLocale } from '../locale.js';
import { ImportFailed } from './errors.js';
import { readJsonFile } from './security-json.js';

/** What a text of the menu reads as in one locale. */
export type Label =
  | {
      readonly kind: 'found';
      readonly text: string;
      readonly locale: string;
      /** The wanted locale has none, and another one stands in. */
      readonly isFallback: boolean;
    }
  /** It is no key of any label file: a text of its own. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'missing' };

/** Finds the label that a text of the menu stands for. */
export type FindLabel = (text: string) => Label;

export const literally: FindLabel = (text) => ({ kind: 'literal', text });

/** Label files by the locale that each is named after. */
export type LabelFiles = ReadonlyMap<string, unknown>;

/**
 * Reads label files; a single one may be said to be of `locale`, whatever its name.
 * @throws {ImportFailed} when one is no JSON; {@link Invalid} when it is not named after a locale, or two are after one.
 */
export async function readLabelFiles(files: readonly string[], locale?: string): Promise<LabelFiles> {
  const labels = new Map<string, unknown>();
  for (const file of files) {
    const read = await readJsonFile(file);
    if (read.kind === 'refused') throw new ImportFailed(`${file}:${read.line} ${read.reason} Nothing was imported.`);
    labels.set(files.length === 1 && locale !== undefined ? requireLocale(locale) : localeOfLabels(file), read.json);
  }
  return labels;
}

/**
 * The locale that a label file is named after: pt-BR of `pt-br.json` and of `messages.pt_BR.json`.
 * @throws {Invalid} when that is none.
 */
export function localeOfLabels(file: string): string {
  const stem = basename(file)
    .replace(/\.gz$/i, '')
    .replace(/(?<=.)\.json$/i, '');
  return requireLocale((stem.split('.').at(-1) ?? stem).replaceAll('_', '-'));
}

/** Labels of `locale`; one that it lacks is taken from the locales that menus fall back to, where there is a file of them. */
export function labelsOf(files: LabelFiles, locale: string): FindLabel {
  const chain = localeChain(locale).filter((each) => files.has(each));
  return (text) => {
    for (const each of chain) {
      const found = textAt(files.get(each), text);
      if (found !== undefined) return { kind: 'found', text: found, locale: each, isFallback: each !== locale };
    }
    return isLabelKey(text) ? { kind: 'missing' } : { kind: 'literal', text };
  };
}

/** Of texts by locale, as they may stand in the menu itself, that of `locale` or of the nearest that it falls back to. */
export function labelAmong(texts: ReadonlyMap<string, string>, locale: string): Label {
  for (const each of localeChain(locale)) {
    const text = texts.get(each);
    if (text !== undefined) return { kind: 'found', text, locale: each, isFallback: each !== locale };
  }
  return { kind: 'missing' };
}

/** Whether the text looks like a key: words and dots. */
export const isLabelKey = (text: string): boolean => /^[\w-]+(\.[\w-]+)+$/.test(text);

/** The text under a key: a property of that name, or nested ones, a step for each dot. */
function textAt(labels: unknown, key: string): string | undefined {
  const whole = propertyOf(labels, key);
  if (typeof whole === 'string') return whole;
  let at = labels;
  for (const step of key.split('.')) at = propertyOf(at, step);
  return typeof at === 'string' ? at : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
