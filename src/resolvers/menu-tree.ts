// A menu as stored, and what of it one caller may see at one moment.
import { LRUCache } from 'lru-cache';
import { Lasting } from './lasting.js';

export interface MenuItemDefinition {
  readonly key: string;
  readonly label: string;
  readonly url: string | null;
  readonly visibleFrom: Date | null;
  readonly visibleUntil: Date | null;
  readonly requiredScope: string | null;
  readonly children: readonly MenuItemDefinition[];
}

/** An item that a caller may see; position and depth count what the caller sees. */
export interface MenuItem {
  readonly key: string;
  readonly label: string;
  readonly url: string | null;
  readonly position: number;
  /** 1 for the top level. */
  readonly depth: number;
  readonly parentKey: string | null;
  /** Made when they are asked for: of a large menu one level is cheap. */
  readonly children: readonly MenuItem[];
}

export interface MenuDocument {
  readonly key: string;
  readonly locale: string;
  readonly title: string;
  readonly definition: readonly MenuItemDefinition[];
  /**
   * The tree without what `has` and the moment hide, and without what lies below that: from the top level, or from the
   * children of `parent`, which are none where the parent itself is not to be seen. The same list for as long as it is.
   */
  readonly visible: (has: (scope: string) => boolean, nowMs: number, parent?: string | null) => readonly MenuItem[];
  /** How many items `visible` shows in all. */
  readonly countVisible: (has: (scope: string) => boolean, nowMs: number) => number;
  /** The first moment after `nowMs` at which a window opens or closes; infinity where none does. */
  readonly changesAfter: (nowMs: number) => number;
}

type ItemTuple = readonly [
  key: string,
  parentKey: string | null,
  label: string,
  url: string | null,
  visibleFrom: string | null,
  visibleUntil: string | null,
  requiredScope: string | null,
];

const MAX_MENUS = 500;
/** Views of one menu that are kept: of callers with other rights, at other times. */
const MAX_VIEWS = 4;
const MAX_CHARACTERS = 8 * 1_024 * 1_024;
/** Enough of the text to tell menus apart by; key and locale come first. */
const PLACE_CHARACTERS = 300;

const decoded = new LRUCache<string, { readonly json: string; readonly menu: MenuDocument }>({
  max: MAX_MENUS,
  maxSize: MAX_CHARACTERS,
  sizeCalculation: ({ json }) => json.length + 1,
});

/** Decodes the stored form. A decoded menu is kept, and given again only for the very same text. */
export function menuDocument(json: string): MenuDocument {
  const place = json.slice(0, PLACE_CHARACTERS);
  const kept = decoded.get(place);
  if (kept?.json === json) return kept.menu;
  const menu = decodedMenu(json);
  decoded.set(place, { json, menu });
  return menu;
}

/** Items whose parent is missing, as a careless hand may leave them, are not shown. */
function decodedMenu(json: string): MenuDocument {
  const { key, locale, title, items } = JSON.parse(json) as {
    key: string;
    locale: string;
    title: string;
    items: readonly ItemTuple[];
  };
  const byParent = new Map<string | null, ItemTuple[]>();
  const scopes = new Set<string>();
  for (const item of items) {
    const siblings = byParent.get(item[1]);
    if (siblings) siblings.push(item);
    else byParent.set(item[1], [item]);
    if (item[6] !== null) scopes.add(item[6]);
  }
  const views = new Map<string, readonly MenuItem[]>();
  let definition: readonly MenuItemDefinition[] | undefined;
  let changes: readonly number[] | undefined;
  const changesAfter = (nowMs: number) => {
    changes ??= changesOf(items);
    return changes.find((moment) => moment > nowMs) ?? Number.POSITIVE_INFINITY;
  };
  return {
    key,
    locale,
    title,
    get definition() {
      definition ??= definitionsBelow(byParent, null);
      return definition;
    },
    countVisible: (has, nowMs) => countBelow(byParent, null, showsFor(has, nowMs)),
    changesAfter,
    visible: (has, nowMs, parent = null) => {
      if (parent !== null) {
        const shows = showsFor(has, nowMs);
        const depth = depthOf(items, parent, shows);
        return depth === undefined ? [] : visibleBelow(byParent, parent, depth + 1, shows);
      }
      const held = new Set([...scopes].filter(has));
      const name = [changesAfter(nowMs), ...held].join();
      const seen = views.get(name);
      if (seen) return seen;
      // It outlives this request: `has` may know all of it.
      const view = visibleBelow(
        byParent,
        null,
        1,
        showsFor((scope) => held.has(scope), nowMs),
      );
      if (views.size >= MAX_VIEWS) views.clear();
      views.set(name, view);
      return view;
    },
  };
}

const showsFor =
  (has: (scope: string) => boolean, nowMs: number) =>
  ([, , , , from, until, scope]: ItemTuple): boolean =>
    (from === null || Date.parse(from) <= nowMs) &&
    (until === null || nowMs < Date.parse(until)) &&
    (scope === null || has(scope));

/** When windows open or close, in order. */
const changesOf = (items: readonly ItemTuple[]): readonly number[] =>
  items
    .flatMap(([, , , , from, until]) => [from, until])
    .flatMap((moment) => (moment === null ? [] : [Date.parse(moment)]))
    .sort((a, b) => a - b);

function countBelow(
  byParent: Map<string | null, ItemTuple[]>,
  parent: string | null,
  shows: (item: ItemTuple) => boolean,
): number {
  let count = 0;
  for (const item of byParent.get(parent) ?? []) if (shows(item)) count += 1 + countBelow(byParent, item[0], shows);
  return count;
}

const flats = new Lasting<readonly MenuItem[], readonly MenuItem[]>();

/** The items and all below them, parents first, down to `levels` levels. The same list for the same items. */
export const flatten = (items: readonly MenuItem[], levels = Number.POSITIVE_INFINITY): readonly MenuItem[] =>
  flats.of(items, String(levels), () => flattened(items, levels));

function flattened(items: readonly MenuItem[], levels: number): MenuItem[] {
  const flat: MenuItem[] = [];
  const visit = (siblings: readonly MenuItem[], level: number) => {
    for (const item of siblings) {
      flat.push(item);
      if (level < levels) visit(item.children, level + 1);
    }
  };
  if (levels > 0) visit(items, 1);
  return flat;
}

function definitionsBelow(byParent: Map<string | null, ItemTuple[]>, parent: string | null): MenuItemDefinition[] {
  return (byParent.get(parent) ?? []).map(([key, , label, url, from, until, requiredScope]) => ({
    key,
    label,
    url,
    visibleFrom: dateOf(from),
    visibleUntil: dateOf(until),
    requiredScope,
    children: definitionsBelow(byParent, key),
  }));
}

function visibleBelow(
  byParent: Map<string | null, ItemTuple[]>,
  parentKey: string | null,
  depth: number,
  shows: (item: ItemTuple) => boolean,
): readonly MenuItem[] {
  const below = (key: string) => visibleBelow(byParent, key, depth + 1, shows);
  const seen = (byParent.get(parentKey) ?? []).filter(shows);
  return seen.map((item, position) => new VisibleItem(item, position, depth, below));
}

class VisibleItem implements MenuItem {
  readonly key: string;
  readonly label: string;
  readonly url: string | null;
  readonly position: number;
  readonly depth: number;
  readonly parentKey: string | null;
  readonly #below: (key: string) => readonly MenuItem[];
  #children: readonly MenuItem[] | undefined;

  constructor(
    [key, parentKey, label, url]: ItemTuple,
    position: number,
    depth: number,
    below: (key: string) => readonly MenuItem[],
  ) {
    this.key = key;
    this.label = label;
    this.url = url;
    this.position = position;
    this.depth = depth;
    this.parentKey = parentKey;
    this.#below = below;
  }

  get children(): readonly MenuItem[] {
    this.#children ??= this.#below(this.key);
    return this.#children;
  }
}

/** The depth of an item, 1 for the top level; undefined where it, or what it lies below, is not shown. */
function depthOf(items: readonly ItemTuple[], key: string, shows: (item: ItemTuple) => boolean): number | undefined {
  const byKey = new Map(items.map((item) => [item[0], item]));
  let depth = 0;
  for (let at: string | null = key; at !== null; depth++) {
    const item = byKey.get(at);
    // Each is met once: items that are their own ancestors are not shown.
    if (!item || !shows(item) || !byKey.delete(at)) return undefined;
    at = item[1];
  }
  return depth;
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
