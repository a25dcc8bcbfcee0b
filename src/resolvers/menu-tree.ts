// A menu as stored, and what of it one caller may see at one moment.

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
  readonly children: readonly MenuItem[];
}

export interface MenuDocument {
  readonly key: string;
  readonly locale: string;
  readonly title: string;
  readonly definition: readonly MenuItemDefinition[];
  /** The tree without what `has` and the moment hide, and without what lies below it. */
  readonly visible: (has: (scope: string) => boolean, nowMs: number) => readonly MenuItem[];
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

/** Decodes the stored form. Items whose parent is missing, as a careless hand may leave them, are not shown. */
export function menuDocument(json: string): MenuDocument {
  const { key, locale, title, items } = JSON.parse(json) as {
    key: string;
    locale: string;
    title: string;
    items: readonly ItemTuple[];
  };
  const byParent = new Map<string | null, ItemTuple[]>();
  for (const item of items) {
    const siblings = byParent.get(item[1]);
    if (siblings) siblings.push(item);
    else byParent.set(item[1], [item]);
  }
  let definition: readonly MenuItemDefinition[] | undefined;
  return {
    key,
    locale,
    title,
    get definition() {
      definition ??= definitionsBelow(byParent, null);
      return definition;
    },
    visible: (has, nowMs) => visibleBelow(byParent, null, 1, has, nowMs),
  };
}

/** The items and all below them, parents first. */
export function flatten(items: readonly MenuItem[]): MenuItem[] {
  return items.flatMap((item) => [item, ...flatten(item.children)]);
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
  has: (scope: string) => boolean,
  nowMs: number,
): MenuItem[] {
  const seen = (byParent.get(parentKey) ?? []).filter(
    ([, , , , from, until, scope]) =>
      (from === null || Date.parse(from) <= nowMs) &&
      (until === null || nowMs < Date.parse(until)) &&
      (scope === null || has(scope)),
  );
  return seen.map(([key, , label, url], position) => ({
    key,
    label,
    url,
    position,
    depth,
    parentKey,
    children: visibleBelow(byParent, key, depth + 1, has, nowMs),
  }));
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
