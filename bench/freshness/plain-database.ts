// Postgres as people reach it by hand: Drizzle over postgres.js as both come, or, tuned, with prepared statements. No
// locks, no change log, no versions.
import { randomUUID } from 'node:crypto';
import { and, asc, eq } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { changes } from '../../src/db/change.js';
import { menuItems, menus } from '../../src/db/menu.js';

export interface PlainDatabase {
  /** The JSON of a menu by `key:locale`; null where there is none. */
  readonly load: (key: string) => Promise<string | null>;
  /** Renames an item and writes that down, in one transaction; undefined where there is no such item. */
  readonly rename: (renaming: Renaming) => Promise<{ readonly json: string | null } | undefined>;
  readonly close: () => Promise<void>;
}

export interface Renaming {
  readonly menu: string;
  readonly locale: string;
  readonly item: string;
  readonly label: string;
  /** Whether the whole menu is read back in the transaction. */
  readonly readBack: boolean;
}

type Db = Pick<PostgresJsDatabase, 'select' | 'update' | 'insert'>;

export function plainDatabase(url: string, statements: 'as they come' | 'prepared'): PlainDatabase {
  const client = postgres(url);
  const db = drizzle(statements === 'prepared' ? preparing(client) : client);
  return {
    load: (key) => load(db, key),
    rename: (renaming) => db.transaction((tx) => rename(tx, renaming)),
    close: () => client.end({ timeout: 1 }),
  };
}

async function load(db: Db, name: string): Promise<string | null> {
  const [key = '', locale = ''] = name.split(':');
  const [menu] = await db.select().from(menus).where(whereIs(key, locale));
  if (!menu) return null;
  const rows = await db
    .select()
    .from(menuItems)
    .where(eq(menuItems.menuId, menu.id))
    .orderBy(asc(menuItems.position), asc(menuItems.key));
  const items = rows.map((row) => [
    row.key,
    row.parentKey,
    row.label,
    row.url,
    row.visibleFrom,
    row.visibleUntil,
    row.requiredScope,
  ]);
  return JSON.stringify({ key, locale, title: menu.title, items });
}

async function rename(tx: Db, { menu, locale, item, label, readBack }: Renaming) {
  const [found] = await tx.select({ id: menus.id }).from(menus).where(whereIs(menu, locale));
  if (!found) return undefined;
  const where = and(eq(menuItems.menuId, found.id), eq(menuItems.key, item));
  const [before] = await tx.select({ label: menuItems.label }).from(menuItems).where(where);
  if (!before) return undefined;
  await tx.update(menuItems).set({ label }).where(where);
  await tx.insert(changes).values({
    id: randomUUID(),
    actor: 'bench',
    action: 'renameMenuItem',
    domain: 'MENU',
    key: `${menu}:${locale}`,
    before: { item, label: before.label },
    after: { item, label },
  });
  return { json: readBack ? await load(tx, `${menu}:${locale}`) : null };
}

const whereIs = (key: string, locale: string) => and(eq(menus.key, key), eq(menus.locale, locale));

/** `client`, but every statement is prepared on the server by its text; Drizzle says that none shall be. */
function preparing<Client extends postgres.Sql | postgres.TransactionSql>(client: Client): Client {
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'unsafe')
        return (text: string, parameters?: postgres.ParameterOrJSON<never>[]) =>
          target.unsafe(text, parameters, { prepare: true });
      if (name === 'begin' && 'begin' in target)
        return (body: (tx: postgres.TransactionSql) => unknown) => target.begin((tx) => body(preparing(tx)));
      return Reflect.get(target, name);
    },
  });
}
