// The keys of secret versions as they are wrapped: which of them the master key of a given id has not wrapped yet, and
// their replacement.
import { sql } from 'drizzle-orm';

import { type Query, type Tx, txQuery } from './connection.js';

/** Where the id of the master key stands in a wrapped key: behind its format byte. */
const keyId = sql.raw('substring(wrapped_key FROM 2 FOR 8)');

export interface VersionPlace {
  readonly name: string;
  readonly number: number;
}

export type WrappedVersion = VersionPlace & { readonly wrappedKey: Uint8Array };

/** How many versions other master keys than these have wrapped. */
export async function countWrappedOtherwise(query: Query, ...ids: readonly Uint8Array[]): Promise<number> {
  const known = sql.join(ids.map(inHex), sql`, `);
  const [found] = await query<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM secret_versions WHERE ${keyId} NOT IN (${known})`,
  );
  return found?.count ?? 0;
}

/** Places of such versions after `after`, by name and number; at most `limit`. */
export async function findWrappedOtherwise(
  query: Query,
  id: Uint8Array,
  after: VersionPlace | undefined,
  limit: number,
): Promise<readonly VersionPlace[]> {
  const from = after ? sql`AND (name, number) > (${after.name}, ${after.number})` : sql``;
  return query<{ name: string; number: number }>(sql`
    SELECT name, number FROM secret_versions WHERE ${keyId} <> ${inHex(id)} ${from}
    ORDER BY name, number LIMIT ${limit}`);
}

/** Those of `places` whose key is still wrapped otherwise; they stay as they are until the transaction ends. */
export async function lockWrappedKeys(
  tx: Tx,
  id: Uint8Array,
  places: readonly VersionPlace[],
): Promise<readonly WrappedVersion[]> {
  const rows = await txQuery(tx)<{ name: string; number: number; hex: string }>(sql`
    SELECT name, number, encode(wrapped_key, 'hex') AS hex FROM secret_versions
    WHERE (name, number) IN (SELECT * FROM unnest(${namesOf(places)}::text[], ${numbersOf(places)}::int[]))
      AND ${keyId} <> ${inHex(id)}
    ORDER BY name, number FOR UPDATE`);
  return rows.map(({ hex, ...place }) => ({ ...place, wrappedKey: Buffer.from(hex, 'hex') }));
}

/** Puts these wrapped keys in the place of the versions' own, in one statement. */
export async function setWrappedKeys(tx: Tx, versions: readonly WrappedVersion[]): Promise<void> {
  const keys = sql.param(versions.map(({ wrappedKey }) => Buffer.from(wrappedKey).toString('hex')));
  await txQuery(tx)(sql`
    UPDATE secret_versions AS mine SET wrapped_key = decode(given.hex, 'hex')
    FROM unnest(${namesOf(versions)}::text[], ${numbersOf(versions)}::int[], ${keys}::text[]) AS given (name, number, hex)
    WHERE mine.name = given.name AND mine.number = given.number`);
}

const inHex = (id: Uint8Array) => sql`decode(${Buffer.from(id).toString('hex')}, 'hex')`;
const namesOf = (places: readonly VersionPlace[]) => sql.param(places.map(({ name }) => name));
const numbersOf = (places: readonly VersionPlace[]) => sql.param(places.map(({ number }) => number));
