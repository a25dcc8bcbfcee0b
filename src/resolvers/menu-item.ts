// What a menu item may be. Every refusal names the item.
import type { NewMenuItem } from '../db/index.js';
import { Invalid } from './errors.js';
import type { Maybe } from './input.js';
import { isScope } from './scopes.js';

export interface MenuItemInput {
  readonly key: string;
  readonly label: string;
  readonly url?: Maybe<string>;
  readonly visibleFrom?: Maybe<Date>;
  readonly visibleUntil?: Maybe<Date>;
  readonly requiredScope?: Maybe<string>;
  readonly children?: Maybe<readonly MenuItemInput[]>;
}

export const MAX_MENU_DEPTH = 12;
const MAX_ITEMS = 2_000;
const KEY = /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,199}$/u;
const SAFE_SCHEMES = new Set(['http:', 'https:', 'mailto:', 'tel:']);

/**
 * The tree as rows, parents before their children.
 * @throws {Invalid} at a duplicate key, depth above 12, an unsafe URL or anything else that no item may be.
 */
export function flattenItems(items: readonly MenuItemInput[]): NewMenuItem[] {
  const rows: NewMenuItem[] = [];
  const seen = new Set<string>();
  const visit = (
    siblings: readonly MenuItemInput[],
    parentKey: string | null,
    depth: number,
    path: readonly string[],
  ) => {
    for (const [position, item] of siblings.entries()) {
      const here = [...path, String(position)];
      const row = menuItemRow(item, parentKey, position, here);
      const name = `Item ${JSON.stringify(row.key)}`;
      if (seen.has(row.key))
        throw new Invalid(`${name} is there twice; keys are unique within a menu.`, { path: [...here, 'key'] });
      if (depth > MAX_MENU_DEPTH)
        throw new Invalid(`${name} lies deeper than ${MAX_MENU_DEPTH} levels.`, { path: here });
      if (rows.length >= MAX_ITEMS) {
        throw new Invalid(
          `A menu takes ${MAX_ITEMS} items in one mutation; bring a larger one in by "espelho import menus".`,
          {
            path: ['input', 'items'],
          },
        );
      }
      seen.add(row.key);
      rows.push(row);
      visit(item.children ?? [], row.key, depth + 1, [...here, 'children']);
    }
  };
  visit(items, null, 1, ['input', 'items']);
  return rows;
}

/** @throws {Invalid} unless `key` is 1 to 200 letters, digits and `. _ / -`. */
export function requireKey(key: string, path: readonly string[]): string {
  if (KEY.test(key)) return key;
  throw new Invalid(`${JSON.stringify(key.slice(0, 40))} is no key: use letters, digits and . _ / - (200 at most).`, {
    path,
  });
}

/** @throws {Invalid}, naming `what` it is of, unless `label` is 1 to 500 characters, not only blanks, without control characters. */
export function requireLabel(label: string, path: readonly string[], what = 'A label or title'): string {
  if (label.trim() !== '' && label.length <= 500 && !/[\p{Cc}\p{Surrogate}]/u.test(label)) return label;
  throw new Invalid(
    `${what} has 1 to 500 characters, not only blanks and no control characters or halves of a surrogate pair.`,
    { path },
  );
}

/**
 * One item as a row, without what lies below it.
 * @throws {Invalid}, naming the item, at anything that no item may be.
 */
export function menuItemRow(
  item: MenuItemInput,
  parentKey: string | null,
  position: number,
  path: readonly string[],
): NewMenuItem {
  const key = requireKey(item.key, [...path, 'key']);
  const { visibleFrom = null, visibleUntil = null, requiredScope = null } = item;
  const url = item.url ?? null;
  if (url !== null && !isSafeUrl(url)) {
    throw new Invalid(`Item ${JSON.stringify(key)} has an unsafe URL: use http, https, mailto, tel or a path.`, {
      path: [...path, 'url'],
    });
  }
  if (visibleFrom && visibleUntil && visibleFrom >= visibleUntil) {
    throw new Invalid(
      `Item ${JSON.stringify(key)} would end before it begins: visibleUntil must be after visibleFrom.`,
      {
        path: [...path, 'visibleUntil'],
      },
    );
  }
  if (requiredScope !== null && !isScope(requiredScope)) {
    throw new Invalid(`Item ${JSON.stringify(key)} requires ${JSON.stringify(requiredScope)}, which is no scope.`, {
      path: [...path, 'requiredScope'],
    });
  }
  const label = requireLabel(item.label, [...path, 'label'], `The label of item ${JSON.stringify(key)}`);
  return { key, parentKey, position, label, url, visibleFrom, visibleUntil, requiredScope };
}

/** Paths, queries and fragments of this site, or one of the known schemes. Browsers ignore control characters, so none may be in it. */
function isSafeUrl(url: string): boolean {
  if (url === '' || url.length > 2_000 || /[\p{Cc}\p{Surrogate}\s\\]/u.test(url)) return false;
  if (/^[/?#]/.test(url)) return !url.startsWith('//');
  try {
    return SAFE_SCHEMES.has(new URL(url).protocol);
  } catch {
    return /^[^:]+$/.test(url.split(/[/?#]/)[0] ?? '');
  }
}
