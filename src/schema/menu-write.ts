// The mutations of menus.
import {
  deleteMenu,
  type MenuItemInput as MenuItemInputShape,
  type Menu as MenuShape,
  moveMenuItem,
  type Receipt,
  renameMenuItem,
  saveMenu,
} from '../resolvers/index.js';
import { builder } from './builder.js';
import { resultOf, settled } from './errors.js';
import { Menu } from './menu.js';
import { WriteOptions, WriteReceipt } from './write.js';

const MenuItemInput = builder.inputRef<MenuItemInputShape>('MenuItemInput');
MenuItemInput.implement({
  description: 'An item of a menu to save, with what lies below it: 12 levels at most.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Unique within the menu: letters, digits and . _ / - (200 at most).',
    }),
    label: t.string({ required: true, description: 'What a reader sees: 1 to 500 characters.' }),
    url: t.string({ description: 'http, https, mailto, tel, or a path of this site; left out for a heading.' }),
    visibleFrom: t.field({ type: 'DateTime', description: 'From this moment on; left out: at once.' }),
    visibleUntil: t.field({
      type: 'DateTime',
      description: 'Up to this moment, which is not part of it; left out: for ever.',
    }),
    requiredScope: t.string({ description: 'Only callers with this scope see the item and what lies below it.' }),
    children: t.field({ type: [MenuItemInput], description: 'The items right below, in order.' }),
  }),
});

const SaveMenuInput = builder.inputType('SaveMenuInput', {
  description: 'A whole menu in one locale.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'What it is asked for by: letters, digits and . _ / - (200 at most).',
    }),
    locale: t.string({ defaultValue: 'en', description: 'A language tag, such as pt-BR.' }),
    title: t.string({ required: true, description: 'What a reader sees above it: 1 to 500 characters.' }),
    items: t.field({
      type: [MenuItemInput],
      required: true,
      description: 'The top level, in order. Up to 2,000 items in all; larger menus are imported.',
    }),
  }),
});

interface ChangedMenu {
  readonly receipt: Receipt;
  readonly menu: MenuShape;
}

/** What a mutation answers that leaves a menu. */
const changedMenu = (name: string, description: string) =>
  builder.objectRef<ChangedMenu>(name).implement({
    access: 'inherited',
    description,
    fields: (t) => ({
      receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
      menu: t.expose('menu', { type: Menu, description: 'The menu as it stands now.' }),
    }),
  });

const SaveMenuPayload = changedMenu('SaveMenuPayload', 'A menu that was saved.');
const RenameMenuItemPayload = changedMenu('RenameMenuItemPayload', 'A menu with a renamed item.');
const MoveMenuItemPayload = changedMenu('MoveMenuItemPayload', 'A menu with an item in another place.');
const DeleteMenuPayload = builder.objectRef<Awaited<ReturnType<typeof deleteMenu>>>('DeleteMenuPayload').implement({
  access: 'inherited',
  description: 'A menu that is gone.',
  fields: (t) => ({
    receipt: t.expose('receipt', { type: WriteReceipt, description: 'What was written, and who sees it.' }),
    key: t.exposeString('key', { description: 'What it was asked for by.' }),
    locale: t.exposeString('locale', { description: 'The locale that it is gone in; others stay.' }),
  }),
});

const KEY = 'What the menu was saved under.';
const LOCALE = 'Exactly this locale, such as pt-BR; none is fallen back to.';
const OPTIONS = "How to write; expectedVersion is the menu's.";

builder.mutationFields((t) => ({
  saveMenu: t.field({
    type: resultOf(SaveMenuPayload),
    access: 'menus:write',
    description: 'Makes a menu exactly this, whether it was there or not.',
    args: {
      input: t.arg({ type: SaveMenuInput, required: true, description: 'The menu.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { input, options }, ctx) => settled(saveMenu(ctx, input, options)),
  }),
  renameMenuItem: t.field({
    type: resultOf(RenameMenuItemPayload),
    access: 'menus:write',
    description: 'Gives one item another label.',
    args: {
      key: t.arg.string({ required: true, description: KEY }),
      locale: t.arg.string({ defaultValue: 'en', description: LOCALE }),
      item: t.arg.string({ required: true, description: 'The key of the item.' }),
      label: t.arg.string({ required: true, description: 'What a reader is to see: 1 to 500 characters.' }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(renameMenuItem(ctx, args, options)),
  }),
  moveMenuItem: t.field({
    type: resultOf(MoveMenuItemPayload),
    access: 'menus:write',
    description:
      'Moves one item, with what lies below it: under another item, to the top level, or to another place among its siblings.',
    args: {
      key: t.arg.string({ required: true, description: KEY }),
      locale: t.arg.string({ defaultValue: 'en', description: LOCALE }),
      item: t.arg.string({ required: true, description: 'The key of the item.' }),
      parent: t.arg.string({ description: 'The key of the item to go under; left out: the top level.' }),
      position: t.arg.int({
        required: true,
        description: 'Among the children of `parent`, hidden ones too, from 0; the item itself does not count.',
      }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(moveMenuItem(ctx, args, options)),
  }),
  deleteMenu: t.field({
    type: resultOf(DeleteMenuPayload),
    access: 'menus:write',
    description: 'Deletes a menu in one locale, with its items.',
    args: {
      key: t.arg.string({ required: true, description: KEY }),
      locale: t.arg.string({ defaultValue: 'en', description: LOCALE }),
      options: t.arg({ type: WriteOptions, description: OPTIONS }),
    },
    resolve: (_, { options, ...args }, ctx) => settled(deleteMenu(ctx, args, options)),
  }),
}));
