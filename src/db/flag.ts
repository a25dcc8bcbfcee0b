// Feature toggles and the environments that they belong to: the tables and every statement on them.
import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

import { type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';

export const environments = pgTable(
  'environments',
  {
    key: text().primaryKey(),
    /** Anybody may evaluate its flags. */
    public: boolean().notNull(),
  },
  // A flag's root is found under both keys with a slash between them.
  (table) => [check('environments_key', sql`${table.key} ~ '^[^/]+$'`)],
);

export const flags = pgTable(
  'flags',
  {
    environment: text()
      .notNull()
      .references(() => environments.key, { onDelete: 'restrict' }),
    key: text().notNull(),
    /** Wins over the state in the definition. */
    enabled: boolean().notNull(),
    description: text(),
    /** A flag in flagd's JSON form. */
    definition: jsonb().notNull(),
    /** Archived flags are kept, and shown to nobody. */
    archivedAt: timestamp('archived_at', { withTimezone: true }),
    /** Kept by a trigger. */
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
    /** When the flag was made, or its evaluations began to be counted: what was never evaluated is stale since then. */
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.environment, table.key] }),
    check('flags_definition', sql`jsonb_typeof(${table.definition}) = 'object'`),
  ],
);

/** Apart from `flags`, because an evaluation must not change the cached flag. */
export const flagUses = pgTable(
  'flag_uses',
  {
    environment: text().notNull(),
    key: text().notNull(),
    lastEvaluatedAt: timestamp('last_evaluated_at', { withTimezone: true }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.environment, table.key] }),
    foreignKey({ columns: [table.environment, table.key], foreignColumns: [flags.environment, flags.key] }).onDelete(
      'cascade',
    ),
  ],
);

/** The one fact about all flags of an environment, `{public}`, and its flags by key, as `FLAG_JSON` has them. */
export function loadFlags(query: Query, environmentKeys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'flags',
    environmentKeys,
    sql`SELECT json_build_object('public', environment.public)::text AS value, (
          SELECT coalesce(array_agg(pair.text ORDER BY flag.key COLLATE "C", pair.at), '{}')
          FROM flags AS flag ${OWN_VERSION}
          CROSS JOIN LATERAL (VALUES (1, flag.key), (2, ${FLAG_JSON})) AS pair (at, text)
          WHERE flag.environment = environment.key AND flag.archived_at IS NULL) AS members
        FROM environments AS environment WHERE environment.key = k.key`,
  );
}

/** Environments by key: `{key, public, flagCount}`. */
export function loadEnvironments(query: Query, keys: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'environment',
    keys,
    sql`SELECT json_build_object('key', environment.key, 'public', environment.public, 'flagCount', (
          SELECT count(*) FROM flags WHERE flags.environment = environment.key AND archived_at IS NULL))::text AS value,
          NULL::text[] AS members
        FROM environments AS environment WHERE environment.key = k.key`,
  );
}

const OWN_VERSION = sql`LEFT JOIN entry AS own ON own.view = 'flag' AND own.key = flag.environment || '/' || flag.key`;

/**
 * `{key, public, enabled, description, definition, version, asOf, updatedAt}`: whether its environment is public, so that
 * one field says all that an evaluation needs; the flag's own version, in decimal, and since when it stands; when the
 * flag last became other than it was. Moments are Unix milliseconds.
 */
const FLAG_JSON = sql`json_build_object('key', flag.key, 'public', environment.public, 'enabled', flag.enabled,
  'description', flag.description, 'definition', flag.definition, 'version', coalesce(own.version, 0)::text,
  'asOf', coalesce(floor(extract(epoch FROM own.changed_at) * 1000), 0),
  'updatedAt', floor(extract(epoch FROM flag.updated_at) * 1000))::text`;

/** Keys of the environments that anybody may evaluate, or of all; `limit` at most. */
export async function findEnvironmentKeys(query: Query, all: boolean, limit: number): Promise<readonly string[]> {
  const rows = await query<{ key: string }>(
    sql`SELECT key FROM environments WHERE public OR ${all}::boolean ORDER BY key COLLATE "C" LIMIT ${limit}`,
  );
  return rows.map(({ key }) => key);
}

/** Whether the environment is public; undefined when there is none. It cannot be deleted until the transaction ends. */
export async function findEnvironment(tx: Tx, key: string): Promise<{ readonly public: boolean } | undefined> {
  const [found] = await txQuery(tx)<{ public: boolean }>(
    sql`SELECT public FROM environments WHERE key = ${key} FOR KEY SHARE`,
  );
  return found;
}

/** Makes the environment, or changes it where it is other than this; gives what it was, undefined where there was none. */
export async function putEnvironment(
  tx: Tx,
  key: string,
  isPublic: boolean,
): Promise<{ readonly public: boolean } | undefined> {
  const before = await findEnvironment(tx, key);
  await txQuery(tx)(sql`
    INSERT INTO environments AS mine (key, public) VALUES (${key}, ${isPublic})
    ON CONFLICT (key) DO UPDATE SET public = excluded.public WHERE mine.public <> excluded.public`);
  return before;
}

export interface NewFlag {
  readonly key: string;
  readonly enabled: boolean;
  readonly description: string | null;
  readonly definition: object;
}

export interface StoredFlag extends NewFlag {
  readonly archived: boolean;
}

/** The flags among `keys`, archived ones too, by key. */
export async function findFlags(
  tx: Tx,
  environment: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredFlag>> {
  const rows = await txQuery(tx)<StoredFlag>(sql`
    SELECT key, enabled, description, definition, archived_at IS NOT NULL AS archived FROM flags
    WHERE environment = ${environment} AND key = ANY (${sql.param([...keys])}::text[])`);
  return new Map(rows.map((row) => [row.key, row]));
}

/** Makes flags of an environment, or makes them exactly this and live; gives the keys of those that were other. */
export async function putFlags(tx: Tx, environment: string, given: readonly NewFlag[]): Promise<readonly string[]> {
  const rows = await txQuery(tx)<{ key: string }>(sql`
    INSERT INTO flags AS mine (environment, key, enabled, description, definition)
    SELECT ${environment}, "key", "enabled", "description", "definition"
    FROM json_to_recordset(${JSON.stringify(given)}::json)
      AS given ("key" text, "enabled" boolean, "description" text, "definition" jsonb)
    ON CONFLICT (environment, key) DO UPDATE SET enabled = excluded.enabled, description = excluded.description,
      definition = excluded.definition, archived_at = NULL
    WHERE (mine.enabled, mine.description, mine.definition, mine.archived_at)
      IS DISTINCT FROM (excluded.enabled, excluded.description, excluded.definition, NULL)
    RETURNING key`);
  return rows.map(({ key }) => key);
}

/** Switches a live flag; false where there is none, or it stands so already. */
export async function setFlagEnabled(tx: Tx, environment: string, key: string, enabled: boolean): Promise<boolean> {
  const rows = await txQuery(tx)(sql`UPDATE flags SET enabled = ${enabled}
    WHERE environment = ${environment} AND key = ${key} AND archived_at IS NULL AND enabled <> ${enabled} RETURNING key`);
  return rows.length > 0;
}

/** Archives a live flag; false where there is none. */
export async function setFlagArchived(tx: Tx, environment: string, key: string): Promise<boolean> {
  const rows = await txQuery(tx)(sql`UPDATE flags SET archived_at = now()
    WHERE environment = ${environment} AND key = ${key} AND archived_at IS NULL RETURNING key`);
  return rows.length > 0;
}

/** What the cache holds of an environment's flags among `keys`, as this transaction leaves it, and how many flags there are. */
export async function findFlagFields(
  tx: Tx,
  environment: string,
  keys: readonly string[],
): Promise<{ readonly pairs: readonly string[]; readonly count: number }> {
  const query = txQuery(tx);
  const rows = await query<{ key: string; json: string }>(sql`
    SELECT flag.key, ${FLAG_JSON} AS json
    FROM flags AS flag JOIN environments AS environment ON environment.key = flag.environment ${OWN_VERSION}
    WHERE flag.environment = ${environment} AND flag.key = ANY (${sql.param([...keys])}::text[])
      AND flag.archived_at IS NULL`);
  const [counted] = await query<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM flags WHERE environment = ${environment} AND archived_at IS NULL`,
  );
  return { pairs: rows.flatMap(({ key, json }) => [key, json]), count: counted?.count ?? 0 };
}

/** Keys of an environment's live flags in order; at most `limit`. */
export async function findFlagKeys(query: Query, environment: string, limit: number): Promise<readonly string[]> {
  const rows = await query<{ key: string }>(sql`SELECT key FROM flags
    WHERE environment = ${environment} AND archived_at IS NULL ORDER BY key COLLATE "C" LIMIT ${limit}`);
  return rows.map(({ key }) => key);
}
