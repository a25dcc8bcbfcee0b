// Locales of menus: BCP 47 tags, and where to look when one is missing.
import { LRUCache } from 'lru-cache';
import { Invalid } from './errors.js';

const LAST_RESORT = 'en';
const MAX_KNOWN = 1_000;
const MAX_CHARACTERS = 35;

/** Canonical forms by tag. */
const known = new LRUCache<string, string>({ max: MAX_KNOWN });

/**
 * The tag in canonical form.
 * @throws {Invalid} when it is no BCP 47 language tag.
 */
export function requireLocale(locale: string, path: readonly string[] = ['locale']): string {
  const before = known.get(locale);
  if (before !== undefined) return before;
  try {
    const [canonical] = Intl.getCanonicalLocales(locale);
    if (canonical && canonical.length <= MAX_CHARACTERS) {
      if (locale.length <= MAX_CHARACTERS) known.set(locale, canonical);
      return canonical;
    }
  } catch {
    // Falls through to the sentence below.
  }
  throw new Invalid(`${JSON.stringify(locale.slice(0, 40))} is no language tag; write one such as pt-BR or en.`, {
    path,
  });
}

/** The locale and what to fall back to, in order: pt-BR, pt, en. */
export function localeChain(locale: string): [string, ...string[]] {
  const asked = requireLocale(locale);
  const subtags = asked.split('-');
  const parents = subtags.slice(1).map((_, at) => subtags.slice(0, subtags.length - 1 - at).join('-'));
  const rest = [...parents, LAST_RESORT].filter((each) => each !== asked);
  return [asked, ...new Set(rest)];
}
