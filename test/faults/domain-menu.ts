// Menus: available, one text each, of a menu and its items. They are deleted and made again.
import { type Domain, edited, mutation, NothingToEdit, numbered, recordsIn } from './domain.js';

const MENUS = numbered('m', 48);

export const menus: Domain = {
  name: 'menu',
  batches: [MENUS],
  repeats: false,
  first: '0',
  read: (keys) => ({
    query: 'query($keys: [String!]!) { menus(keys: $keys) { key version stale flatItems { label } } }',
    variables: { keys },
  }),
  answers: ({ data }, keys) => {
    if (!data) return keys.map(() => undefined);
    const found = new Map(recordsIn(data.menus).map((menu) => [menu.key, menu]));
    return keys.map((key) => {
      const menu = found.get(key);
      if (!menu) return { value: null };
      const [item] = recordsIn(menu.flatItems);
      return { value: String(item?.label), version: Number(menu.version), stale: menu.stale === true };
    });
  },
  write: (key, label, random) => {
    if (label === null)
      return { query: mutation('$key: String!', 'deleteMenu(key: $key)', 'DeleteMenuPayload'), variables: { key } };
    if (random() < 0.3) {
      const call = 'renameMenuItem(key: $key, item: "i", label: $label)';
      return {
        query: mutation('$key: String!, $label: String!', call, 'RenameMenuItemPayload'),
        variables: { key, label },
      };
    }
    const input = { key, title: key, items: [{ key: 'i', label }] };
    return {
      query: mutation('$input: SaveMenuInput!', 'saveMenu(input: $input)', 'SaveMenuPayload'),
      variables: { input },
    };
  },
  spell: (serial, random) => (random() < 0.08 ? null : String(serial)),
  entry: (key) => ({ view: 'menu', key: `${key}:en` }),
  edit: (sql, key, value) =>
    edited(sql, menus.entry(key), async (tx) => {
      const changed = await tx`UPDATE menu_items SET label = ${value} FROM menus
        WHERE menus.id = menu_id AND menus.key = ${key} AND locale = 'en' RETURNING 1`;
      if (changed.length === 0) throw new NothingToEdit();
    }),
  stored: async (sql) => {
    const rows = await sql<{ key: string; label: string }[]>`
      SELECT menus.key, label FROM menus JOIN menu_items ON menus.id = menu_id WHERE locale = 'en'`;
    return new Map(rows.map(({ key, label }) => [key, label]));
  },
  seed: async (sql) => {
    await sql`WITH made AS (
      INSERT INTO menus (key, locale, title) SELECT key, 'en', key FROM unnest(${MENUS}::text[]) AS key RETURNING id)
      INSERT INTO menu_items (menu_id, key, position, label) SELECT id, 'i', 0, '0' FROM made`;
  },
};
