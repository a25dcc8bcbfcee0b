// Members of the lists among security values: the table and every statement on it.
import { type SQL, sql } from 'drizzle-orm';
import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';
import { type ListKind, securityValues } from './security-value.js';

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

/** A member that a list of addresses shows beside its networks, and no other list can have: it tells the two apart. */
export const ADDRESS_LIST_MARK = '';

/** Another such member for each length that its networks have: `4/24` where there is an IPv4 network of 24 bits. */
export const lengthMark = (family: 4 | 6, length: number): string => `${family}/${length}`;

/** A member as a list of addresses shows it: psql may have left out the length of a single address. */
const shownNetwork = sql.raw(
  `CASE WHEN strpos(member, '/') > 0 THEN member WHEN strpos(member, ':') > 0 THEN member || '/128' ELSE member || '/32' END`,
);

const shownMark = sql.raw(`CASE WHEN strpos(network, ':') > 0 THEN '6/' ELSE '4/' END || split_part(network, '/', 2)`);

/** The networks of the list `name`, each once. */
const networksOf = (name: SQL) =>
  sql`(SELECT DISTINCT ${shownNetwork} AS network FROM security_list_members WHERE name = ${name}) AS networks`;

/** Lists by name: `{}`, with their members as they are, and the marks of a list of addresses, in no order. */
export function loadSecurityLists(query: Query, names: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'security-list',
    names,
    sql`SELECT '{}' AS value, CASE WHEN list.list_kind = 'ADDRESS' THEN
          (SELECT ARRAY[${ADDRESS_LIST_MARK}::text] || coalesce(array_agg(network), '{}')
            || coalesce(array_agg(DISTINCT ${shownMark}), '{}') FROM ${networksOf(sql`k.key`)})
          ELSE (SELECT coalesce(array_agg(member) FILTER (WHERE member <> ''), '{}') FROM security_list_members
            WHERE name = k.key) END AS members
        FROM security_values AS list WHERE name = k.key AND kind = 'LIST'`,
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

/** What the members of a list come to, as this transaction leaves them. */
export interface ListFacts {
  /** Members; of a list of addresses, networks. */
  readonly count: number;
  /** Members that its entry shows beside them, which say what it is. */
  readonly marks: readonly string[];
  /** When its entry was last changed. */
  readonly changedAt: Date;
}

/** The facts of the list `name`, whose members are of this kind. */
export async function findListFacts(tx: Tx, name: string, kind: ListKind): Promise<ListFacts> {
  const [found] = await txQuery(tx)<{ count: number; marks: string[]; changedAtMs: string }>(sql`
    SELECT members.count, members.marks, floor(extract(epoch FROM changed_at) * 1000)::text AS "changedAtMs"
    FROM ${kind === 'ADDRESS' ? addressFacts(name) : textFacts(name)} AS members
    LEFT JOIN entry ON view = 'security-list' AND key = ${name}`);
  return {
    count: found?.count ?? 0,
    marks: found?.marks ?? [],
    changedAt: new Date(Number(found?.changedAtMs ?? 0)),
  };
}

const textFacts = (name: string) => sql`(SELECT count(*)::int AS count, '{}'::text[] AS marks
  FROM security_list_members WHERE name = ${name} AND member <> '')`;

const addressFacts = (name: string) => sql`(SELECT count(*)::int AS count,
    ARRAY[${ADDRESS_LIST_MARK}::text] || coalesce(array_agg(DISTINCT ${shownMark}), '{}') AS marks
  FROM ${networksOf(sql`${name}`)})`;
