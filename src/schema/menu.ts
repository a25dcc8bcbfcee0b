// Menus, as clients see them.
import {
  BadRequest,
  deleteMenu,
  flatten,
  globalId,
  listMenus,
  type MenuItemDefinition as MenuItemDefinitionShape,
  type MenuItemInput as MenuItemInputShape,
  type MenuItem as MenuItemShape,
  type Menu as MenuShape,
  menuKey,
  readMenu,
  readMenuDefinition,
  renameMenuItem,
  saveMenu,
  visibleItems,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { connectionType } from './connection.js';
import { resultOf, settled } from './errors.js';
import { Node, nodeReader } from './node.js';
import { WriteOptions, WriteReceipt } from './write.js';

const MenuItem = builder.objectRef<MenuItemShape>('MenuItem');
MenuItem.implement({
  access: 'inherited',
  description: 'An item that the caller may see now.',
  fields: (t) => ({
    key: t.exposeString('key'),
    label: t.exposeString('label'),
    url: t.exposeString('url', { nullable: true }),
    position: t.exposeInt('position', { description: 'Among its visible siblings, from 0.' }),
    depth: t.exposeInt('depth', { description: '1 for the top level.' }),
    parentKey: t.exposeString('parentKey', { nullable: true }),
    children: t.field({ type: [MenuItem], resolve: ({ children }) => [...children] }),
  }),
});

export const Menu = builder.objectRef<MenuShape>('Menu').implement({
  access: 'inherited',
  description: 'A published menu, as the caller may see it now.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ value }) => globalId('Menu', menuKey(value.key, value.locale)) }),
    key: t.string({ resolve: ({ value }) => value.key }),
    locale: t.string({
      description: 'The locale found: asked pt-BR may answer pt, then en.',
      resolve: ({ value }) => value.locale,
    }),
    title: t.string({ resolve: ({ value }) => value.title }),
    items: t.field({
      type: [MenuItem],
      description: 'The top level.',
      resolve: (menu, _, ctx) => [...visibleItems(ctx, menu)],
    }),
    flatItems: t.field({
      type: [MenuItem],
      description: 'All items, parents before their children.',
      resolve: (menu, _, ctx) => flatten(visibleItems(ctx, menu)),
    }),
    itemCount: t.int({ resolve: (menu, _, ctx) => flatten(visibleItems(ctx, menu)).length }),
    version: t.expose('version', { type: 'BigInt' }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'When this version was written.' }),
    stale: t.exposeBoolean('stale', { description: 'True only when neither store could vouch for it.' }),
  }),
});

nodeReader('Menu', async (ctx, key) => {
  const [, menu = '', locale = ''] = /^(.*):([^:]*)$/s.exec(key) ?? [];
  return readMenuDefinition(ctx, menu, locale);
});

const MenuItemDefinition = builder.objectRef<MenuItemDefinitionShape>('MenuItemDefinition');
MenuItemDefinition.implement({
  access: 'inherited',
  fields: (t) => ({
    key: t.exposeString('key'),
    label: t.exposeString('label'),
    url: t.exposeString('url', { nullable: true }),
    visibleFrom: t.expose('visibleFrom', { type: 'DateTime', nullable: true }),
    visibleUntil: t.expose('visibleUntil', { type: 'DateTime', nullable: true }),
    requiredScope: t.exposeString('requiredScope', { nullable: true }),
    children: t.field({ type: [MenuItemDefinition], resolve: ({ children }) => [...children] }),
  }),
});

const MenuDefinition = builder.objectRef<MenuShape>('MenuDefinition').implement({
  access: 'inherited',
  description: 'What the back office edits: nothing filtered.',
  fields: (t) => ({
    key: t.string({ resolve: ({ value }) => value.key }),
    locale: t.string({ resolve: ({ value }) => value.locale }),
    title: t.string({ resolve: ({ value }) => value.title }),
    items: t.field({ type: [MenuItemDefinition], resolve: ({ value }) => [...value.definition] }),
    version: t.expose('version', { type: 'BigInt' }),
  }),
});

const MenuConnection = connectionType('Menu', Menu);

const MenuItemInput = builder.inputRef<MenuItemInputShape>('MenuItemInput');
MenuItemInput.implement({
  fields: (t) => ({
    key: t.string({ required: true, description: 'Unique within the menu.' }),
    label: t.string({ required: true }),
    url: t.string({ description: 'http, https, mailto, tel, or a path of this site.' }),
    visibleFrom: t.field({ type: 'DateTime' }),
    visibleUntil: t.field({ type: 'DateTime' }),
    requiredScope: t.string({ description: 'Only callers with this scope see the item.' }),
    children: t.field({ type: [MenuItemInput] }),
  }),
});

const SaveMenuInput = builder.inputType('SaveMenuInput', {
  fields: (t) => ({
    key: t.string({ required: true }),
    locale: t.string({ defaultValue: 'en' }),
    title: t.string({ required: true }),
    items: t.field({ type: [MenuItemInput], required: true }),
  }),
});

const MAX_MENUS = 50;

builder.queryFields((t) => ({
  menu: t.field({
    type: Menu,
    nullable: true,
    access: 'public',
    description: 'A published menu; null where no locale of the fallback has it.',
    args: { key: t.arg.string({ required: true }), locale: t.arg.string({ defaultValue: 'en' }) },
    resolve: (_, { key, locale }, ctx) => readMenu(ctx, key, locale ?? 'en'),
  }),
  menus: t.field({
    type: [Menu],
    nullable: { list: false, items: true },
    access: 'public',
    description: `Published menus, ${MAX_MENUS} at most, in the order of the keys.`,
    args: { keys: t.arg.stringList({ required: true }), locale: t.arg.string({ defaultValue: 'en' }) },
    resolve: (_, { keys, locale }, ctx) => {
      if (keys.length > MAX_MENUS) throw new BadRequest(`Ask for ${MAX_MENUS} menus at most at a time.`);
      return Promise.all(keys.map((key) => readMenu(ctx, key, locale ?? 'en')));
    },
  }),
  menuList: t.field({
    type: MenuConnection,
    access: 'public',
    description: 'All menus by key and locale; read from SQL.',
    args: { first: t.arg.int({ defaultValue: 50 }), after: t.arg.string() },
    resolve: (_, args, ctx) => listMenus(ctx, args),
  }),
  menuDefinition: t.field({
    type: MenuDefinition,
    nullable: true,
    access: 'menus:read',
    description: 'A menu in exactly this locale, hidden items included.',
    args: { key: t.arg.string({ required: true }), locale: t.arg.string({ defaultValue: 'en' }) },
    resolve: (_, { key, locale }, ctx) => readMenuDefinition(ctx, key, locale ?? 'en'),
  }),
}));

const SaveMenuPayload = builder.objectRef<Awaited<ReturnType<typeof saveMenu>>>('SaveMenuPayload').implement({
  access: 'inherited',
  fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }), menu: t.expose('menu', { type: Menu }) }),
});
const RenameMenuItemPayload = builder
  .objectRef<Awaited<ReturnType<typeof renameMenuItem>>>('RenameMenuItemPayload')
  .implement({
    access: 'inherited',
    fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }), menu: t.expose('menu', { type: Menu }) }),
  });
const DeleteMenuPayload = builder.objectRef<Awaited<ReturnType<typeof deleteMenu>>>('DeleteMenuPayload').implement({
  access: 'inherited',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt }),
    key: t.exposeString('key'),
    locale: t.exposeString('locale'),
  }),
});

builder.mutationFields((t) => ({
  saveMenu: t.field({
    type: resultOf(SaveMenuPayload),
    access: 'menus:write',
    description: 'Makes a menu exactly this, whether it was there or not.',
    args: { input: t.arg({ type: SaveMenuInput, required: true }), options: t.arg({ type: WriteOptions }) },
    resolve: (_, { input, options }, ctx) => settled(saveMenu(ctx, input, options)),
  }),
  renameMenuItem: t.field({
    type: resultOf(RenameMenuItemPayload),
    access: 'menus:write',
    description: 'Gives one item another label.',
    args: {
      key: t.arg.string({ required: true }),
      locale: t.arg.string({ defaultValue: 'en' }),
      item: t.arg.string({ required: true }),
      label: t.arg.string({ required: true }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(renameMenuItem(ctx, args, options)),
  }),
  deleteMenu: t.field({
    type: resultOf(DeleteMenuPayload),
    access: 'menus:write',
    description: 'Deletes a menu in one locale, with its items.',
    args: {
      key: t.arg.string({ required: true }),
      locale: t.arg.string({ defaultValue: 'en' }),
      options: t.arg({ type: WriteOptions }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(deleteMenu(ctx, args, options)),
  }),
}));
