// Menus, as clients see them.
import {
  BadRequest,
  countVisibleItems,
  flatten,
  globalId,
  listMenus,
  type MenuItemDefinition as MenuItemDefinitionShape,
  type MenuItem as MenuItemShape,
  type Menu as MenuShape,
  menuKey,
  readMenu,
  readMenuDefinition,
  visibleItems,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { Node, nodeReader } from './node.js';

const MenuItem = builder.objectRef<MenuItemShape>('MenuItem');
MenuItem.implement({
  access: 'inherited',
  extensions: { follows: true },
  description: 'An item that the caller may see now.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique within the menu, and the same in each of its locales.' }),
    label: t.exposeString('label', { description: 'What a reader sees.' }),
    url: t.exposeString('url', { nullable: true, description: 'Where it leads; null for a heading.' }),
    position: t.exposeInt('position', { description: 'Among its visible siblings, from 0.' }),
    depth: t.exposeInt('depth', { description: '1 for the top level.' }),
    parentKey: t.exposeString('parentKey', { nullable: true, description: 'Null for the top level.' }),
    childCount: t.int({
      description: 'How many children the caller would see.',
      resolve: ({ children }) => children.length,
    }),
    children: t.field({
      type: [MenuItem],
      description: 'The items right below. A document that nests them n times gets a tree of n levels more.',
      resolve: ({ children }) => children,
    }),
  }),
});

const PARENT = 'Only below this item, which must be visible itself; left out: the whole menu.';

export const Menu = builder.objectRef<MenuShape>('Menu').implement({
  access: 'inherited',
  description: 'A published menu, as the caller may see it now.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Its global id: of this key in this locale.',
      resolve: ({ value }) => globalId('Menu', menuKey(value.key, value.locale)),
    }),
    key: t.string({ description: 'What the menu is asked for by.', resolve: ({ value }) => value.key }),
    locale: t.string({
      description: 'The locale found: asked pt-BR may answer pt, then en.',
      resolve: ({ value }) => value.locale,
    }),
    title: t.string({ description: 'What a reader sees above it.', resolve: ({ value }) => value.title }),
    items: t.field({
      type: [MenuItem],
      extensions: { lasting: true },
      description:
        'One level: the top one, or the children of `parent`. Selecting no more keeps a menu of thousands small.',
      args: { parent: t.arg.string({ description: PARENT }) },
      resolve: (menu, { parent }, ctx) => visibleItems(ctx, menu, parent),
    }),
    flatItems: t.field({
      type: [MenuItem],
      extensions: { lasting: true },
      description: 'All items in one list, parents before their children.',
      args: {
        parent: t.arg.string({ description: PARENT }),
        depth: t.arg.int({ description: 'So many levels and no more; left out: all.' }),
      },
      resolve: (menu, { parent, depth }, ctx) => flatten(visibleItems(ctx, menu, parent), requireLevels(depth)),
    }),
    itemCount: t.int({
      description: 'How many items the caller would see in all.',
      resolve: (menu, _, ctx) => countVisibleItems(ctx, menu),
    }),
    version: t.expose('version', { type: 'BigInt', description: 'For expectedVersion.' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

function requireLevels(depth: number | null | undefined): number | undefined {
  if (depth === null || depth === undefined) return undefined;
  if (depth < 1) throw new BadRequest(`depth counts levels from 1; ${depth} is none.`);
  return depth;
}

nodeReader('Menu', async (ctx, key) => {
  const [, menu = '', locale = ''] = /^(.*):([^:]*)$/s.exec(key) ?? [];
  return readMenuDefinition(ctx, menu, locale);
});

const MenuItemDefinition = builder.objectRef<MenuItemDefinitionShape>('MenuItemDefinition');
MenuItemDefinition.implement({
  access: 'inherited',
  description: 'An item as the back office edits it.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique within the menu.' }),
    label: t.exposeString('label', { description: 'What a reader sees.' }),
    url: t.exposeString('url', { nullable: true, description: 'Where it leads; null for a heading.' }),
    visibleFrom: t.expose('visibleFrom', {
      type: 'DateTime',
      nullable: true,
      description: 'From this moment on; null for ever since.',
    }),
    visibleUntil: t.expose('visibleUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Up to this moment, which is not part of it; null for ever.',
    }),
    requiredScope: t.exposeString('requiredScope', {
      nullable: true,
      description: 'Only callers with this scope see it and what lies below; null for everybody.',
    }),
    children: t.field({
      type: [MenuItemDefinition],
      description: 'The items right below, hidden ones too.',
      resolve: ({ children }) => [...children],
    }),
  }),
});

const MenuDefinition = builder.objectRef<MenuShape>('MenuDefinition').implement({
  access: 'inherited',
  description: 'What the back office edits: nothing filtered.',
  fields: (t) => ({
    key: t.string({ description: 'What the menu is asked for by.', resolve: ({ value }) => value.key }),
    locale: t.string({ description: 'Exactly the locale asked for.', resolve: ({ value }) => value.locale }),
    title: t.string({ description: 'What a reader sees above it.', resolve: ({ value }) => value.title }),
    items: t.field({
      type: [MenuItemDefinition],
      description: 'The top level, hidden items too.',
      resolve: ({ value }) => [...value.definition],
    }),
    version: t.expose('version', { type: 'BigInt', description: 'For expectedVersion.' }),
  }),
});

const MenuConnection = connectionType('Menu', Menu);

const MAX_MENUS = 50;
const KEY = 'What the menu was saved under.';
const LOCALE = 'A language tag, such as pt-BR; the fallback goes on to pt, then en.';

builder.queryFields((t) => ({
  menu: t.field({
    type: Menu,
    nullable: true,
    access: 'public',
    description: 'A published menu; null where no locale of the fallback has it.',
    args: {
      key: t.arg.string({ required: true, description: KEY }),
      locale: t.arg.string({ defaultValue: 'en', description: LOCALE }),
    },
    resolve: (_, { key, locale }, ctx) => readMenu(ctx, key, locale ?? 'en'),
  }),
  menus: t.field({
    type: [Menu],
    nullable: { list: false, items: true },
    access: 'public',
    description: `Published menus, ${MAX_MENUS} at most, in the order of the keys.`,
    args: {
      keys: t.arg.stringList({ required: true, description: 'Of each menu, what it was saved under.' }),
      locale: t.arg.string({ defaultValue: 'en', description: LOCALE }),
    },
    resolve: (_, { keys, locale }, ctx) => {
      if (keys.length > MAX_MENUS) throw new BadRequest(`Ask for ${MAX_MENUS} menus at most at a time.`);
      return Promise.all(keys.map((key) => readMenu(ctx, key, locale ?? 'en')));
    },
  }),
  menuList: t.field({
    type: MenuConnection,
    access: 'public',
    description: 'All menus by key and locale; read from SQL.',
    args: {
      first: t.arg.int({ defaultValue: 50, description: 'From 1 to 100.' }),
      after: t.arg.string({ description: 'endCursor of the page before.' }),
    },
    resolve: (_, args, ctx) => listMenus(ctx, args),
  }),
  menuDefinition: t.field({
    type: MenuDefinition,
    nullable: true,
    access: 'menus:read',
    description: 'A menu in exactly this locale, hidden items included.',
    args: {
      key: t.arg.string({ required: true, description: KEY }),
      locale: t.arg.string({
        defaultValue: 'en',
        description: 'A language tag, such as pt-BR; none is fallen back to.',
      }),
    },
    resolve: (_, { key, locale }, ctx) => readMenuDefinition(ctx, key, locale ?? 'en'),
  }),
}));
