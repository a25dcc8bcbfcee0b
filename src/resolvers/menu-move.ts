// Moving an item within its menu: under another item, to the top level, or to another place among its siblings.
import type { ItemPlace } from '../db/index.js';
import { Invalid, NotFound } from './errors.js';
import { MAX_MENU_DEPTH } from './menu-item.js';

export interface Move {
  readonly item: string;
  /** Null for the top level. */
  readonly parent: string | null;
  /** 0-based among the children of `parent`, the item itself not counted. */
  readonly position: number;
}

/**
 * The places that differ once the item is where `move` says; siblings are numbered anew without gaps.
 * `places` are those of the whole menu, siblings in order.
 * @throws {NotFound} at an item or parent that the menu does not have; {@link Invalid} at a position beyond the last
 * sibling, under the item itself, or below {@link MAX_MENU_DEPTH} levels.
 */
export function movedPlaces(places: readonly ItemPlace[], { item, parent, position }: Move): readonly ItemPlace[] {
  const byKey = new Map(places.map((place) => [place.key, place]));
  const moved = byKey.get(item);
  if (!moved) throw new NotFound(`The menu has no item ${named(item)}.`, { path: ['item'] });
  if (parent !== null && !byKey.has(parent)) {
    throw new NotFound(`The menu has no item ${named(parent)} to move ${named(item)} under.`, { path: ['parent'] });
  }
  const children = childrenOf(places);
  const depth = requireNoCycle(byKey, item, parent) + heightOf(children, item);
  if (depth > MAX_MENU_DEPTH) {
    throw new Invalid(
      `Item ${named(item)} with what lies below it would reach level ${depth}; a menu has ${MAX_MENU_DEPTH}.`,
      { path: ['parent'] },
    );
  }
  const others = (children.get(parent) ?? []).filter(({ key }) => key !== item);
  if (position < 0 || position > others.length) {
    throw new Invalid(`Item ${named(item)} can stand at position 0 to ${others.length} there, not at ${position}.`, {
      path: ['position'],
    });
  }
  const after = others.toSpliced(position, 0, moved);
  const left = moved.parentKey === parent ? [] : (children.get(moved.parentKey) ?? []).filter((each) => each !== moved);
  return [...numbered(after, parent), ...numbered(left, moved.parentKey)].filter((place) => {
    const before = byKey.get(place.key);
    return before?.parentKey !== place.parentKey || before.position !== place.position;
  });
}

/** The level of `parent`, 0 for the top. Items that are their own ancestors, as a careless hand may leave them, have none. */
function requireNoCycle(byKey: ReadonlyMap<string, ItemPlace>, item: string, parent: string | null): number {
  let level = 0;
  for (let above = parent; above !== null; above = byKey.get(above)?.parentKey ?? null) {
    if (above === item) {
      const where = parent === item ? 'itself' : `${named(parent ?? '')}, which lies below it`;
      throw new Invalid(`Item ${named(item)} cannot be moved under ${where}.`, { path: ['parent'] });
    }
    level += 1;
    if (level > MAX_MENU_DEPTH) {
      throw new Invalid(`Item ${named(parent ?? '')} lies ${MAX_MENU_DEPTH} levels deep; nothing can go below it.`, {
        path: ['parent'],
      });
    }
  }
  return level;
}

/** How many levels the item and what lies below it take. */
function heightOf(children: ReadonlyMap<string | null, readonly ItemPlace[]>, item: string): number {
  const seen = new Set([item]);
  let height = 0;
  for (let level = [item]; level.length > 0; height++) {
    level = level.flatMap((key) => (children.get(key) ?? []).map((child) => child.key)).filter((key) => !seen.has(key));
    for (const key of level) seen.add(key);
  }
  return height;
}

function childrenOf(places: readonly ItemPlace[]): ReadonlyMap<string | null, readonly ItemPlace[]> {
  const children = new Map<string | null, ItemPlace[]>();
  for (const place of places) {
    const siblings = children.get(place.parentKey);
    if (siblings) siblings.push(place);
    else children.set(place.parentKey, [place]);
  }
  return children;
}

const numbered = (siblings: readonly ItemPlace[], parentKey: string | null): ItemPlace[] =>
  siblings.map(({ key }, position) => ({ key, parentKey, position }));

const named = (key: string): string => JSON.stringify(key.slice(0, 60));
