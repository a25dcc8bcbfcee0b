// Menus: trees of links per key and locale. What is cached is the whole published definition; visibility windows and
// required scopes apply after the cache read, so that no TTL delays a launch or leaks an item.
import { type Present, type Reading, rootOf, type TextView } from '../cache/index.js';
import {
  deleteMenuRow,
  findItemPlaces,
  findMenuId,
  findMenuKeys,
  loadMenus,
  putMenu,
  type Query,
  replaceMenuItems,
  setItemLabel,
  setItemPlaces,
} from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { NotFound } from './errors.js';
import type { Maybe, PageArgs } from './input.js';
import { localeChain, requireLocale } from './locale.js';
import { flattenItems, type MenuItemInput, requireKey, requireLabel } from './menu-item.js';
import { movedPlaces } from './menu-move.js';
import { type MenuDocument, menuDocument } from './menu-tree.js';
import { type WriteOptions, write } from './write.js';

export const menuView: TextView<Query, MenuDocument> = {
  name: 'menu',
  format: 1,
  shape: 'text',
  mode: 'available',
  ttlMs: 3_600_000,
  keepWarm: true,
  load: loadMenus,
  decode: menuDocument,
};

export type Menu = Present<MenuDocument>;

/** The menu in `locale`, or in the nearest one that exists: pt-BR, then pt, then en. Public to all. */
export async function readMenu(ctx: Context, key: string, locale: string): Promise<Menu | null> {
  requireKey(key, ['key']);
  const [asked, ...rest] = localeChain(locale);
  const found = await ctx.cache.read(menuView, menuKey(key, asked));
  if (found.kind === 'present') return found;
  const others = await Promise.all(rest.map((other) => ctx.cache.read(menuView, menuKey(key, other))));
  return others.find(isPresent) ?? null;
}

/** The menu in exactly this locale. */
export async function readMenuDefinition(ctx: Context, key: string, locale: string): Promise<Menu | null> {
  const found = await ctx.cache.read(menuView, menuKey(requireKey(key, ['key']), requireLocale(locale)));
  return found.kind === 'present' ? found : null;
}

/** All menus by key and locale. */
export async function listMenus(ctx: Context, { first, after }: PageArgs): Promise<Connection<Menu>> {
  const { query, cursorKey } = ctx.services;
  const size = pageSize(first);
  const question = ['menuList'];
  const [key, locale] = after ? openCursor(cursorKey, question, after) : [];
  const from = after ? { key: String(key), locale: String(locale) } : undefined;
  const found = await ctx.cache.bypassing('menu', 'menuList', () => findMenuKeys(query, from, size + 1));
  const keys = found.slice(0, size);
  const menus = await Promise.all(keys.map((each) => ctx.cache.read(menuView, menuKey(each.key, each.locale))));
  const edges = keys.flatMap((each, at) => {
    const menu = menus[at];
    return menu?.kind === 'present' ? [new KeysetEdge(menu, cursorKey, question, [each.key, each.locale])] : [];
  });
  return connectionOf(edges, found.length > size, after);
}

export interface SaveMenuInput {
  readonly key: string;
  readonly locale?: Maybe<string>;
  readonly title: string;
  readonly items: readonly MenuItemInput[];
}

/** Makes the menu exactly what `input` says, whether it was there or not. */
export async function saveMenu(ctx: Context, input: SaveMenuInput, options?: Maybe<WriteOptions>) {
  const key = requireKey(input.key, ['input', 'key']);
  const locale = requireLocale(input.locale ?? 'en', ['input', 'locale']);
  const title = requireLabel(input.title, ['input', 'title']);
  const items = flattenItems(input.items);
  const plan = planOf('saveMenu', menuKey(key, locale), options);
  const { receipt } = await write(ctx, plan, async (tx) => {
    const id = await putMenu(tx, key, locale, title);
    const { written, removed } = await replaceMenuItems(tx, id, items);
    return { result: undefined, after: { title, items: items.length, written, removed } };
  });
  return { receipt, menu: await requireMenu(ctx, key, locale) };
}

/** Gives one item another label. */
export async function renameMenuItem(
  ctx: Context,
  args: { key: string; locale?: Maybe<string>; item: string; label: string },
  options?: Maybe<WriteOptions>,
) {
  const key = requireKey(args.key, ['key']);
  const locale = requireLocale(args.locale ?? 'en');
  const label = requireLabel(args.label, ['label']);
  const { receipt } = await write(ctx, planOf('renameMenuItem', menuKey(key, locale), options), async (tx) => {
    // Postgres takes no NUL, and no item has one.
    const item = args.item.includes('\0') ? null : args.item;
    const before = await setItemLabel(tx, { key, locale }, item, label);
    if (before === undefined) throw noMenu(key, locale);
    if (before === null) {
      throw new NotFound(`Menu ${key} (${locale}) has no item ${JSON.stringify(args.item.slice(0, 60))}.`, {
        path: ['item'],
      });
    }
    return { result: undefined, before: { item: args.item, label: before }, after: { item: args.item, label } };
  });
  return { receipt, menu: await requireMenu(ctx, key, locale) };
}

/** Moves one item, with what lies below it, to a position under a parent or at the top level. */
export async function moveMenuItem(
  ctx: Context,
  args: { key: string; locale?: Maybe<string>; item: string; parent?: Maybe<string>; position: number },
  options?: Maybe<WriteOptions>,
) {
  const key = requireKey(args.key, ['key']);
  const locale = requireLocale(args.locale ?? 'en');
  const { item, parent = null, position } = args;
  const { receipt } = await write(ctx, planOf('moveMenuItem', menuKey(key, locale), options), async (tx) => {
    const id = await findMenuId(tx, key, locale);
    if (!id) throw noMenu(key, locale);
    const places = await findItemPlaces(tx, id);
    await setItemPlaces(tx, id, movedPlaces(places, { item, parent, position }));
    const before = places.find((place) => place.key === item);
    return {
      result: undefined,
      before: { item, parent: before?.parentKey ?? null, position: before?.position },
      after: { item, parent, position },
    };
  });
  return { receipt, menu: await requireMenu(ctx, key, locale) };
}

/** Deletes the menu in this locale, with its items. */
export async function deleteMenu(
  ctx: Context,
  args: { key: string; locale?: Maybe<string> },
  options?: Maybe<WriteOptions>,
) {
  const key = requireKey(args.key, ['key']);
  const locale = requireLocale(args.locale ?? 'en');
  const { receipt } = await write(ctx, planOf('deleteMenu', menuKey(key, locale), options), async (tx) => {
    const id = await findMenuId(tx, key, locale);
    if (!id) throw noMenu(key, locale);
    await deleteMenuRow(tx, id);
    return { result: undefined };
  });
  return { receipt, key, locale };
}

/** What this caller may see of a menu now: the top level, or the children of `parent`. */
export const visibleItems = (ctx: Context, menu: Menu, parent?: Maybe<string>) =>
  menu.value.visible((scope) => ctx.viewer.scopes.has(scope), momentFor(ctx, menu), parent ?? null);

/** How many items this caller may see of a menu now. */
export const countVisibleItems = (ctx: Context, menu: Menu): number =>
  menu.value.countVisible((scope) => ctx.viewer.scopes.has(scope), momentFor(ctx, menu));

/** The moment, for what a menu shows until the next of its windows opens or closes. */
const momentFor = ({ repetition }: Context, { value }: Menu): number => repetition.moment(value.changesAfter);

export const menuKey = (key: string, locale: string): string => `${key}:${locale}`;

const planOf = (action: string, key: string, options: Maybe<WriteOptions>) => ({
  action,
  domain: 'MENU' as const,
  key,
  roots: [rootOf(menuView, key)] as const,
  options,
});

const isPresent = (reading: Reading<MenuDocument>): reading is Menu => reading.kind === 'present';

const noMenu = (key: string, locale: string) =>
  new NotFound(`There is no menu ${JSON.stringify(key)} in ${locale}; saveMenu makes one.`, { path: ['key'] });

async function requireMenu(ctx: Context, key: string, locale: string): Promise<Menu> {
  const menu = await readMenuDefinition(ctx, key, locale);
  if (!menu) throw noMenu(key, locale);
  return menu;
}
