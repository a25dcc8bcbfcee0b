// Versions of the secrets among security values, of which only ciphertext is kept: the table and every statement on it.
import { and, eq, sql } from 'drizzle-orm';
import { check, customType, integer, pgTable, primaryKey, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

import { type Db, type Query, type Tx, txQuery } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';
import { securityValues } from './security-value.js';
import { repeated } from './transaction.js';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const secretVersions = pgTable(
  'secret_versions',
  {
    name: text()
      .notNull()
      .references(() => securityValues.name, { onDelete: 'cascade' }),
    /** From 1, without gaps. */
    number: integer().notNull(),
    state: text().$type<SecretState>().notNull(),
    /** The value under a key of its own; null once destroyed. */
    ciphertext: bytea(),
    /** That key under the master key; null once destroyed. */
    wrappedKey: bytea('wrapped_key'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    createdBy: text('created_by').notNull(),
    /** Until when a PREVIOUS version can be revealed; null where no end is set. */
    validUntil: timestamp('valid_until', { withTimezone: true }),
  },
  ({ name, number, state, ciphertext, wrappedKey }) => [
    primaryKey({ columns: [name, number] }),
    uniqueIndex('secret_versions_current').on(name).where(sql`${state} = 'CURRENT'`),
    check('secret_versions_state', sql`${state} IN ('CURRENT', 'PREVIOUS', 'DESTROYED')`),
    check(
      'secret_versions_destroyed',
      sql`(${state} = 'DESTROYED') = (${ciphertext} IS NULL)
      AND (${ciphertext} IS NULL) = (${wrappedKey} IS NULL)`,
    ),
  ],
);

export type SecretState = 'CURRENT' | 'PREVIOUS' | 'DESTROYED';

/**
 * Secrets by name: `{rotateEveryDays, versions}`, the newest version first, each `{number, state, createdAt, createdBy,
 * validUntil, ciphertext, wrappedKey}`: moments in Unix milliseconds, bytes in base64, of the current version and the
 * one before it only.
 */
export function loadSecrets(query: Query, names: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(
    query,
    'secret',
    names,
    sql`SELECT json_build_object('rotateEveryDays', secret.rotate_every_days, 'versions', (
          SELECT coalesce(json_agg(json_build_object('number', number, 'state', state, 'createdAt', ${inMs('created_at')},
            'createdBy', created_by, 'validUntil', ${inMs('valid_until')},
            'ciphertext', CASE WHEN rank <= 2 THEN ${inBase64('ciphertext')} END,
            'wrappedKey', CASE WHEN rank <= 2 THEN ${inBase64('wrapped_key')} END) ORDER BY number DESC), '[]')
          FROM (SELECT *, row_number() OVER (ORDER BY state = 'CURRENT' DESC, state = 'PREVIOUS' DESC, number DESC) AS rank
            FROM secret_versions WHERE name = secret.name) AS ranked))::text AS value, NULL::text[] AS members
        FROM security_values AS secret WHERE secret.name = k.key AND secret.kind = 'SECRET'`,
  );
}

/** A moment as Unix milliseconds. */
export const inMs = (column: string) => sql`floor(extract(epoch FROM ${sql.identifier(column)}) * 1000)`;
const inBase64 = (column: string) => sql`translate(encode(${sql.identifier(column)}, 'base64'), E'\n', '')`;

export interface SealedBytes {
  readonly ciphertext: Uint8Array;
  readonly wrappedKey: Uint8Array;
}

/** The highest number that a version of the secret has had, and the number of its current one; 0 where there is none. */
export async function findSecretNumbers(
  tx: Tx,
  name: string,
): Promise<{ readonly last: number; readonly current: number }> {
  const [found] = await txQuery(tx)<{ last: number; current: number }>(sql`
    SELECT coalesce(max(number), 0) AS last, coalesce(max(number) FILTER (WHERE state = 'CURRENT'), 0) AS current
    FROM secret_versions WHERE name = ${name}`);
  return found ?? { last: 0, current: 0 };
}

/**
 * Makes this the current version of the secret. The one that was becomes PREVIOUS, valid for `overlapSeconds` more; null
 * sets no end.
 */
export async function insertSecretVersion(
  tx: Tx,
  version: SealedBytes & { readonly name: string; readonly number: number; readonly createdBy: string },
  overlapSeconds: number | null,
): Promise<void> {
  await replaceCurrentVersion(tx, version.name, overlapSeconds);
  await tx.insert(secretVersions).values({ ...version, state: 'CURRENT' });
}

/** Makes a version current that is PREVIOUS; the one that was current becomes PREVIOUS, without an end. */
export async function restoreSecretVersion(tx: Tx, name: string, number: number): Promise<void> {
  await replaceCurrentVersion(tx, name, null);
  await tx
    .update(secretVersions)
    .set({ state: 'CURRENT', validUntil: null })
    .where(and(eq(secretVersions.name, name), eq(secretVersions.number, number)));
}

/** Takes both columns of bytes out of a version. */
export async function destroyVersion(tx: Tx, name: string, number: number): Promise<void> {
  await tx
    .update(secretVersions)
    .set({ state: 'DESTROYED', ciphertext: null, wrappedKey: null, validUntil: null })
    .where(and(eq(secretVersions.name, name), eq(secretVersions.number, number)));
}

/** A table of this size is written anew in well under a second; nobody reveals anything meanwhile. */
const REWRITTEN_BYTES = 64 * 1_024 * 1_024;

/**
 * Has Postgres give up the old row versions of secrets, in which the bytes of a destroyed version live on: the table is
 * written anew where it is small, so that its files have them no more, else they are given up for overwriting. What an
 * older transaction may still see stays until a later VACUUM.
 */
export async function vacuumSecretVersions(db: Db): Promise<void> {
  const [found] = await db.execute<{ small: boolean }>(
    sql`SELECT pg_total_relation_size('secret_versions') <= ${REWRITTEN_BYTES}::bigint AS small`,
  );
  try {
    if (found?.small) return void (await repeated(() => db.execute(sql`VACUUM FULL secret_versions`)));
  } catch {
    // Somebody has been reading the table all the while.
  }
  await repeated(() => db.execute(sql`VACUUM secret_versions`));
}

async function replaceCurrentVersion(tx: Tx, name: string, overlapSeconds: number | null): Promise<void> {
  const validUntil = overlapSeconds === null ? null : sql`now() + ${overlapSeconds}::float8 * interval '1 second'`;
  await tx
    .update(secretVersions)
    .set({ state: 'PREVIOUS', validUntil })
    .where(and(eq(secretVersions.name, name), eq(secretVersions.state, 'CURRENT')));
}

/** The state of one version; undefined when there is none of this number. */
export async function findVersionState(tx: Tx, name: string, number: number): Promise<SecretState | undefined> {
  const [found] = await tx
    .select({ state: secretVersions.state })
    .from(secretVersions)
    .where(and(eq(secretVersions.name, name), eq(secretVersions.number, number)));
  return found?.state;
}

/** How often the secret is to be rotated, where that is other than before. */
export async function setRotation(tx: Tx, name: string, rotateEveryDays: number | null): Promise<void> {
  await txQuery(tx)(sql`UPDATE security_values SET rotate_every_days = ${rotateEveryDays}
    WHERE name = ${name} AND rotate_every_days IS DISTINCT FROM ${rotateEveryDays}`);
}

/**
 * The bytes of one version, which stays as it is until the transaction ends, and whether its time is over; undefined when
 * it is destroyed or unknown.
 */
export async function findSealedVersion(
  tx: Tx,
  name: string,
  number: number,
): Promise<(SealedBytes & { readonly ended: boolean }) | undefined> {
  const { ciphertext, wrappedKey, validUntil } = secretVersions;
  const [found] = await tx
    .select({ ciphertext, wrappedKey, ended: sql<boolean>`coalesce(${validUntil} <= now(), false)` })
    .from(secretVersions)
    .where(and(eq(secretVersions.name, name), eq(secretVersions.number, number)))
    .for('share');
  if (!found?.ciphertext || !found.wrappedKey) return undefined;
  return { ciphertext: found.ciphertext, wrappedKey: found.wrappedKey, ended: found.ended };
}
