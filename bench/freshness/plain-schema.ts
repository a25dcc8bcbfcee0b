// The plain side's schema: the same types and fields as the gateway's menus, resolved by a cache kept by hand.
import SchemaBuilder from '@pothos/core';
import type { MenuDocument, MenuItem as MenuItemShape } from '../../src/resolvers/index.js';
import { menuView } from '../../src/resolvers/index.js';
import '../../src/schema/access.js';
import type { PlainCache } from './plain-cache.js';
import type { PlainDatabase } from './plain-database.js';

export interface PlainContext {
  readonly database: PlainDatabase;
  readonly cache: PlainCache;
  /** What is done to the key once the transaction has committed. */
  readonly afterWrite: 'drop' | 'store';
}

interface Renamed {
  readonly receipt: { readonly visible: boolean };
}

interface NotFoundShape {
  readonly message: string;
}

const builder = new SchemaBuilder<{
  Context: PlainContext;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
}>({ plugins: ['access'], defaultFieldNullability: false });

const MenuItem = builder.objectRef<MenuItemShape>('MenuItem');
MenuItem.implement({
  access: 'inherited',
  fields: (t) => ({
    key: t.exposeString('key'),
    label: t.exposeString('label'),
    url: t.exposeString('url', { nullable: true }),
    children: t.field({ type: [MenuItem], resolve: ({ children }) => [...children] }),
  }),
});

const Menu = builder.objectRef<MenuDocument>('Menu').implement({
  access: 'inherited',
  fields: (t) => ({
    key: t.exposeString('key'),
    locale: t.exposeString('locale'),
    title: t.exposeString('title'),
    items: t.field({ type: [MenuItem], resolve: (menu) => [...menu.visible(() => false, Date.now())] }),
  }),
});

builder.queryType({
  fields: (t) => ({
    menu: t.field({
      type: Menu,
      nullable: true,
      access: 'public',
      args: { key: t.arg.string({ required: true }), locale: t.arg.string({ defaultValue: 'en' }) },
      resolve: async (_, { key, locale }, { cache }) => {
        const json = await cache.read(`${key}:${locale ?? 'en'}`);
        return json === null ? null : menuView.decode(json);
      },
    }),
  }),
});

const WriteReceipt = builder.objectRef<Renamed['receipt']>('WriteReceipt').implement({
  access: 'inherited',
  fields: (t) => ({ visible: t.exposeBoolean('visible') }),
});
const RenameMenuItemPayload = builder.objectRef<Renamed>('RenameMenuItemPayload').implement({
  access: 'inherited',
  fields: (t) => ({ receipt: t.expose('receipt', { type: WriteReceipt }) }),
});
const NotFoundError = builder.objectRef<NotFoundShape>('NotFoundError').implement({
  access: 'inherited',
  fields: (t) => ({ message: t.exposeString('message') }),
});
const RenameMenuItemResult = builder.unionType('RenameMenuItemResult', {
  types: [RenameMenuItemPayload, NotFoundError],
  resolveType: (value) => ('receipt' in value ? 'RenameMenuItemPayload' : 'NotFoundError'),
});

builder.mutationType({
  fields: (t) => ({
    renameMenuItem: t.field({
      type: RenameMenuItemResult,
      access: 'public',
      args: {
        key: t.arg.string({ required: true }),
        locale: t.arg.string({ defaultValue: 'en' }),
        item: t.arg.string({ required: true }),
        label: t.arg.string({ required: true }),
      },
      resolve: (_, { key, locale, item, label }, ctx) => rename(ctx, key, locale ?? 'en', item, label),
    }),
  }),
});

export const plainSchema = builder.toSchema();

/** Postgres first, then the cache: a reader in between sees, and stores, what is old by then. */
async function rename(
  { database, cache, afterWrite }: PlainContext,
  menu: string,
  locale: string,
  item: string,
  label: string,
): Promise<Renamed | NotFoundShape> {
  const key = `${menu}:${locale}`;
  const written = await database.rename({ menu, locale, item, label, readBack: afterWrite === 'store' });
  if (!written) return { message: `There is no item ${item} in ${key}.` };
  if (written.json !== null) await cache.store(key, written.json);
  else await cache.drop(key);
  return { receipt: { visible: true } };
}
