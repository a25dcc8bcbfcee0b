// Menus and their items: the tables and every statement on them.
import { and, eq, ne, sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  foreignKey,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';

export const menus = pgTable(
  'menus',
  {
    id: uuid().primaryKey().defaultRandom(),
    key: text().notNull(),
    locale: text().notNull(),
    title: text().notNull(),
  },
  (table) => [unique('menus_key_locale').on(table.key, table.locale)],
);

export const menuItems = pgTable(
  'menu_items',
  {
    menuId: uuid('menu_id')
      .notNull()
      .references(() => menus.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    parentKey: text('parent_key'),
    /** 0-based among the items of one parent. */
    position: integer().notNull(),
    label: text().notNull(),
    url: text(),
    visibleFrom: timestamp('visible_from', { withTimezone: true }),
    visibleUntil: timestamp('visible_until', { withTimezone: true }),
    requiredScope: text('required_scope'),
  },
  (table) => [
    primaryKey({ columns: [table.menuId, table.key] }),
    foreignKey({
      name: 'menu_items_parent',
      columns: [table.menuId, table.parentKey],
      foreignColumns: [table.menuId as AnyPgColumn, table.key as AnyPgColumn],
    }).onDelete('cascade'),
  ],
);

export interface NewMenuItem {
  readonly key: string;
  readonly parentKey: string | null;
  /** 0-based among the items of one parent. */
  readonly position: number;
  readonly label: string;
  readonly url: string | null;
  readonly visibleFrom: Date | null;
  readonly visibleUntil: Date | null;
  readonly requiredScope: string | null;
}

/**
 * Menus by `key:locale`: `{key, locale, title, items}`, an item being the tuple
 * `[key, parentKey, label, url, visibleFrom, visibleUntil, requiredScope]`; siblings in order, all items in one list.
 */
export function loadMenus(query: Query, keys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'menu',
    keys,
    sql`SELECT json_build_object('key', menu.key, 'locale', menu.locale, 'title', menu.title, 'items', (
          SELECT coalesce(json_agg(json_build_array(item.key, item.parent_key, item.label, item.url,
            item.visible_from, item.visible_until, item.required_scope) ORDER BY item.position, item.key), '[]')
          FROM menu_items AS item WHERE item.menu_id = menu.id))::text AS value, NULL::text[] AS members
        FROM menus AS menu
        WHERE menu.key = regexp_replace(k.key, ':[^:]*$', '') AND menu.locale = substring(k.key FROM '[^:]*$')`,
  );
}

/** Keys of menus in order of key and locale, after `after`; at most `limit`. */
export async function findMenuKeys(
  query: Query,
  after: { readonly key: string; readonly locale: string } | undefined,
  limit: number,
): Promise<readonly { key: string; locale: string }[]> {
  const from = after ? sql`WHERE (key, locale) > (${after.key}, ${after.locale})` : sql``;
  return query(sql`SELECT key, locale FROM menus ${from} ORDER BY key, locale LIMIT ${limit}`);
}

/** The menu's id; made when there is none, and given the title where it has another. */
export async function putMenu(tx: Tx, key: string, locale: string, title: string): Promise<string> {
  const existing = await findMenuId(tx, key, locale);
  if (existing) {
    await tx
      .update(menus)
      .set({ title })
      .where(and(eq(menus.id, existing), ne(menus.title, title)));
    return existing;
  }
  const [made] = await tx.insert(menus).values({ key, locale, title }).returning({ id: menus.id });
  if (!made) throw new Error('INSERT returned no row.');
  return made.id;
}

export async function findMenuId(tx: Tx, key: string, locale: string): Promise<string | undefined> {
  const where = and(eq(menus.key, key), eq(menus.locale, locale));
  const [found] = await tx.select({ id: menus.id }).from(menus).where(where);
  return found?.id;
}

/** Makes the menu's items exactly `items`. Says how many rows were inserted or changed, and how many removed. */
export async function replaceMenuItems(
  tx: Tx,
  menuId: string,
  items: readonly NewMenuItem[],
): Promise<{ written: number; removed: number }> {
  const query = txQuery(tx);
  const rows = JSON.stringify(items);
  const given = sql`json_to_recordset(${rows}::json) AS given ("key" text, "parentKey" text, "position" int, "label" text,
    "url" text, "visibleFrom" timestamptz, "visibleUntil" timestamptz, "requiredScope" text)`;
  const removing = query(sql`DELETE FROM menu_items WHERE menu_id = ${menuId}
    AND key NOT IN (SELECT "key" FROM ${given}) RETURNING key`);
  const writing = query(sql`
    INSERT INTO menu_items AS mine (menu_id, key, parent_key, position, label, url, visible_from, visible_until, required_scope)
    SELECT ${menuId}::uuid, "key", "parentKey", "position", "label", "url", "visibleFrom", "visibleUntil", "requiredScope"
    FROM ${given}
    ON CONFLICT (menu_id, key) DO UPDATE SET parent_key = excluded.parent_key, position = excluded.position,
      label = excluded.label, url = excluded.url, visible_from = excluded.visible_from,
      visible_until = excluded.visible_until, required_scope = excluded.required_scope
    WHERE (mine.parent_key, mine.position, mine.label, mine.url, mine.visible_from, mine.visible_until, mine.required_scope)
      IS DISTINCT FROM (excluded.parent_key, excluded.position, excluded.label, excluded.url, excluded.visible_from,
        excluded.visible_until, excluded.required_scope)
    RETURNING key`);
  const [removed, written] = await Promise.all([removing, writing]); // one behind the other, sent together
  return { written: written.length, removed: removed.length };
}

/**
 * Gives an item another label, in one statement. Its former label; null when the menu has no such item, undefined when
 * there is no menu.
 */
export async function setItemLabel(
  tx: Tx,
  menu: { readonly key: string; readonly locale: string },
  item: string | null,
  label: string,
): Promise<string | null | undefined> {
  const [found] = await txQuery(tx)<{ before: string | null }>(sql`
    WITH found AS (
      SELECT item.menu_id, item.key, item.label AS before
      FROM menus AS menu LEFT JOIN menu_items AS item ON item.menu_id = menu.id AND item.key = ${item}
      WHERE menu.key = ${menu.key} AND menu.locale = ${menu.locale}
    ), changed AS (
      UPDATE menu_items AS item SET label = ${label} FROM found
      WHERE item.menu_id = found.menu_id AND item.key = found.key
    )
    SELECT before FROM found`);
  return found?.before;
}

/** Where an item stands. */
export type ItemPlace = Pick<NewMenuItem, 'key' | 'parentKey' | 'position'>;

/** Where each item of a menu stands, siblings in order. */
export async function findItemPlaces(tx: Tx, menuId: string): Promise<readonly ItemPlace[]> {
  return tx
    .select({ key: menuItems.key, parentKey: menuItems.parentKey, position: menuItems.position })
    .from(menuItems)
    .where(eq(menuItems.menuId, menuId))
    .orderBy(menuItems.position, menuItems.key);
}

/** Puts items of a menu where `places` says, in one statement. */
export async function setItemPlaces(tx: Tx, menuId: string, places: readonly ItemPlace[]): Promise<void> {
  if (places.length === 0) return;
  await tx.execute(sql`
    UPDATE menu_items AS item SET parent_key = given."parentKey", position = given."position"
    FROM json_to_recordset(${JSON.stringify(places)}::json) AS given ("key" text, "parentKey" text, "position" int)
    WHERE item.menu_id = ${menuId} AND item.key = given."key"`);
}

/** Deletes the menu with its items. */
export async function deleteMenuRow(tx: Tx, menuId: string): Promise<void> {
  await tx.delete(menus).where(eq(menus.id, menuId));
}
