// Members of the lists among security values: the table and every statement on it.
import { sql } from 'drizzle-orm';
import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';
import { securityValues } from './security-value.js';

export const securityListMembers = pgTable(
  'security_list_members',
  {
    name: text()
      .notNull()
      .references(() => securityValues.name, { onDelete: 'cascade' }),
    member: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.member] })],
);

/** Lists by name: `{}`, with their members as they are, in no order. */
export function loadSecurityLists(query: Query, names: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'security-list',
    names,
    sql`SELECT '{}' AS value,
          (SELECT coalesce(array_agg(member), '{}') FROM security_list_members WHERE name = k.key) AS members
        FROM security_values WHERE name = k.key AND kind = 'LIST'`,
  );
}

/** Those of `members` that were not in the list. */
export async function addListMembers(tx: Tx, name: string, members: readonly string[]): Promise<readonly string[]> {
  if (members.length === 0) return [];
  const rows = await txQuery(tx)<{ member: string }>(sql`
    INSERT INTO security_list_members (name, member) SELECT ${name}, unnest(${sql.param([...members])}::text[])
    ON CONFLICT DO NOTHING RETURNING member`);
  return rows.map(({ member }) => member);
}

/** Those of `members` that were in the list. */
export async function removeListMembers(tx: Tx, name: string, members: readonly string[]): Promise<readonly string[]> {
  if (members.length === 0) return [];
  const rows = await txQuery(tx)<{ member: string }>(sql`
    DELETE FROM security_list_members WHERE name = ${name} AND member = ANY (${sql.param([...members])}::text[])
    RETURNING member`);
  return rows.map(({ member }) => member);
}

/** Makes the members of the list exactly `members`, which are all different. */
export async function replaceListMembers(
  tx: Tx,
  name: string,
  members: readonly string[],
): Promise<{ readonly added: number; readonly removed: number }> {
  const query = txQuery(tx);
  const given = sql`unnest(${sql.param([...members])}::text[]) AS given (member)`;
  const [removed] = await query<{ count: number }>(sql`
    WITH removed AS (DELETE FROM security_list_members AS mine WHERE name = ${name}
      AND NOT EXISTS (SELECT FROM ${given} WHERE given.member = mine.member) RETURNING 1)
    SELECT count(*)::int AS count FROM removed`);
  const [added] = await query<{ count: number }>(sql`
    WITH added AS (INSERT INTO security_list_members (name, member) SELECT ${name}, member FROM ${given}
      ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*)::int AS count FROM added`);
  return { added: added?.count ?? 0, removed: removed?.count ?? 0 };
}

/** How many members the list has, and when its entry was last changed, as this transaction leaves it. */
export async function findListFacts(
  tx: Tx,
  name: string,
): Promise<{ readonly count: number; readonly changedAt: Date }> {
  const [found] = await txQuery(tx)<{ count: number; changedAtMs: string }>(sql`
    SELECT (SELECT count(*)::int FROM security_list_members WHERE name = ${name}) AS count,
      floor(extract(epoch FROM changed_at) * 1000)::text AS "changedAtMs"
    FROM entry WHERE view = 'security-list' AND key = ${name}`);
  return { count: found?.count ?? 0, changedAt: new Date(Number(found?.changedAtMs ?? 0)) };
}
