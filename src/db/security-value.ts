// Security values of all kinds, by name; parameters are in their rows. The table and every statement on it.
import { sql } from 'drizzle-orm';
import { check, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';

export const securityValues = pgTable(
  'security_values',
  {
    name: text().primaryKey(),
    kind: text().$type<SecurityValueKind>().notNull(),
    /** Of a PARAMETER only. */
    parameter: jsonb(),
    /** The JSON Schema that a parameter must satisfy. */
    schema: jsonb(),
    /** Of a SECRET only. */
    rotateEveryDays: integer('rotate_every_days'),
    /** Of a LIST only: what its members are; null means TEXT. */
    listKind: text('list_kind').$type<ListKind>(),
  },
  ({ kind, parameter, schema, rotateEveryDays, listKind }) => [
    check('security_values_kind', sql`${kind} IN ('PARAMETER', 'LIST', 'SECRET')`),
    check('security_values_parameter', sql`(${kind} = 'PARAMETER') = (${parameter} IS NOT NULL)`),
    check('security_values_schema', sql`${kind} = 'PARAMETER' OR ${schema} IS NULL`),
    check(
      'security_values_rotation',
      sql`${rotateEveryDays} IS NULL OR (${kind} = 'SECRET' AND ${rotateEveryDays} > 0)`,
    ),
    check(
      'security_values_list',
      sql`${listKind} IS NULL OR (${kind} = 'LIST' AND ${listKind} IN ('TEXT', 'ADDRESS'))`,
    ),
  ],
);

export type SecurityValueKind = 'PARAMETER' | 'LIST' | 'SECRET';
/** Strings compared as they are, or IP addresses and networks. */
export type ListKind = 'TEXT' | 'ADDRESS';
export type SecurityValueRow = typeof securityValues.$inferSelect;

/** Parameters by name: `{parameter, schema}`. */
export function loadParameters(query: Query, names: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'parameter',
    names,
    sql`SELECT json_build_object('parameter', parameter, 'schema', schema)::text AS value, NULL::text[] AS members
        FROM security_values WHERE name = k.key AND kind = 'PARAMETER'`,
  );
}

/** The row of a value of any kind; its members or versions are not in it. */
export async function findSecurityValue(tx: Tx, name: string): Promise<SecurityValueRow | undefined> {
  // As text: the driver would parse JSON and Drizzle the result again, and so take the text "5" for the number 5.
  const [found] = await txQuery(tx)<{ json: string }>(sql`
    SELECT json_build_object('name', name, 'kind', kind, 'parameter', parameter, 'schema', schema,
      'rotateEveryDays', rotate_every_days, 'listKind', list_kind)::text AS json
    FROM security_values WHERE name = ${name}`);
  return found && (JSON.parse(found.json) as SecurityValueRow);
}

/** False when another value has this name. */
export async function insertSecurityValue(
  tx: Tx,
  {
    name,
    kind,
    parameter,
    schema,
    rotateEveryDays,
    listKind,
  }: Pick<SecurityValueRow, 'name' | 'kind'> & Partial<SecurityValueRow>,
): Promise<boolean> {
  const rows = await txQuery(tx)(sql`
    INSERT INTO security_values (name, kind, parameter, schema, rotate_every_days, list_kind)
    VALUES (${name}, ${kind}, ${inJson(parameter)}::jsonb, ${inJson(schema)}::jsonb, ${rotateEveryDays ?? null},
      ${listKind ?? null})
    ON CONFLICT DO NOTHING RETURNING name`);
  return rows.length > 0;
}

/** Makes a list one of this kind; its members are the caller's to replace. */
export async function setListKind(tx: Tx, name: string, kind: ListKind): Promise<void> {
  await txQuery(tx)(sql`UPDATE security_values SET list_kind = ${kind} WHERE name = ${name} AND kind = 'LIST'`);
}

/** False when the parameter stood so already, schema and all. */
export async function setParameter(tx: Tx, name: string, parameter: unknown, schema: unknown): Promise<boolean> {
  const rows = await txQuery(tx)(sql`
    UPDATE security_values SET parameter = ${inJson(parameter)}::jsonb, schema = ${inJson(schema)}::jsonb
    WHERE name = ${name} AND (parameter, schema) IS DISTINCT FROM (${inJson(parameter)}::jsonb, ${inJson(schema)}::jsonb)
    RETURNING name`);
  return rows.length > 0;
}

/** SQL NULL stands for what was not given; a JSON null cannot be given. */
const inJson = (value: unknown): string | null =>
  value === undefined || value === null ? null : JSON.stringify(value);
