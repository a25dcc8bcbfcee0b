// Tokens, of which only a keyed digest is kept: the tables and every statement on them.
import { and, eq, isNull, sql } from 'drizzle-orm';
import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

import type { Query, Tx } from './connection.js';
import { type LoadedEntry, loadEntries } from './load.js';

export const tokens = pgTable(
  'tokens',
  {
    id: uuid().primaryKey().defaultRandom(),
    /** HMAC-SHA-256 of the secret under the pepper, in hex. */
    digest: text().notNull().unique(),
    name: text().notNull(),
    /** The first characters of the secret, enough to recognise it by. */
    prefix: text().notNull(),
    subject: text().notNull(),
    scopes: text().array().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
    /** The token that took this one's place. */
    replacedBy: uuid('replaced_by'),
  },
  (table) => [
    index('tokens_created').on(table.createdAt, table.id),
    index('tokens_subject').on(table.subject, table.createdAt, table.id),
  ],
);

/** Apart from `tokens`, because a use must not change the cached token. */
export const tokenUses = pgTable('token_uses', {
  tokenId: uuid('token_id')
    .primaryKey()
    .references(() => tokens.id, { onDelete: 'cascade' }),
  lastUsedAt: timestamp('last_used_at', { withTimezone: true }).notNull(),
});

export type TokenRow = typeof tokens.$inferSelect;

/** Tokens by digest: `{id, name, prefix, subject, scopes, createdAt, expiresAt, revokedAt, replacedBy}`, moments in Unix milliseconds. */
export function loadTokensByDigest(query: Query, digests: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(query, 'token', digests, sql`${TOKEN_JSON} WHERE token.digest = k.key`);
}

/** The same by id. */
export function loadTokensById(query: Query, ids: readonly string[]): Promise<LoadedEntry[]> {
  return loadEntries(query, 'token-id', ids, sql`${TOKEN_JSON} WHERE token.id::text = k.key`);
}

const TOKEN_JSON = sql`
  SELECT json_build_object('id', token.id, 'name', token.name, 'prefix', token.prefix, 'subject', token.subject,
    'scopes', token.scopes, 'createdAt', floor(extract(epoch FROM token.created_at) * 1000),
    'expiresAt', floor(extract(epoch FROM token.expires_at) * 1000),
    'revokedAt', floor(extract(epoch FROM token.revoked_at) * 1000),
    'replacedBy', token.replaced_by)::text AS value, NULL::text[] AS members
  FROM tokens AS token`;

export interface TokenFilter {
  readonly subject: string | undefined;
  readonly status: 'ACTIVE' | 'EXPIRED' | 'REVOKED' | undefined;
}

/** Ids of tokens, the newest first, after `after`; at most `limit`. */
export async function findTokenIds(
  query: Query,
  { subject, status }: TokenFilter,
  after: { readonly createdAt: string; readonly id: string } | undefined,
  limit: number,
): Promise<readonly { id: string; createdAt: string }[]> {
  const rest = after ? sql`AND (created_at, id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)` : sql``;
  return query(sql`SELECT id::text, created_at::text AS "createdAt" FROM tokens
    WHERE (${subject ?? null}::text IS NULL OR subject = ${subject ?? null})
      AND (${status ?? null}::text IS NULL OR ${status ?? null} = CASE WHEN revoked_at IS NOT NULL THEN 'REVOKED'
        WHEN expires_at <= now() THEN 'EXPIRED' ELSE 'ACTIVE' END) ${rest}
    ORDER BY created_at DESC, tokens.id DESC LIMIT ${limit}`);
}

export async function findToken(tx: Tx, id: string): Promise<TokenRow | undefined> {
  const [found] = await tx.select().from(tokens).where(eq(tokens.id, id));
  return found;
}

/** The token as stored. */
export async function insertToken(tx: Tx, token: typeof tokens.$inferInsert): Promise<TokenRow> {
  const [made] = await tx.insert(tokens).values(token).returning();
  if (!made) throw new Error('INSERT returned no row.');
  return made;
}

/** Revokes now; a token revoked before keeps its moment. */
export async function setTokenRevoked(tx: Tx, id: string): Promise<void> {
  await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.id, id), isNull(tokens.revokedAt)));
}

/** The new token takes the old one's place: at once, or from `until` on; an earlier expiry of the old one stands. */
export async function setTokenReplaced(tx: Tx, id: string, replacedBy: string, until: Date | null): Promise<void> {
  const end = until
    ? { expiresAt: sql`least(${tokens.expiresAt}, ${until.toISOString()}::timestamptz)` }
    : { revokedAt: sql`now()` };
  await tx
    .update(tokens)
    .set({ replacedBy, ...end })
    .where(eq(tokens.id, id));
}

/** Ids of the subject's tokens that nobody has revoked, expired ones included. */
export async function findUnrevokedTokenIds(query: Query, subject: string): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    sql`SELECT id::text FROM tokens WHERE subject = ${subject} AND revoked_at IS NULL ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

/** Revokes them all now, in one statement. Gives the ids of those that it revoked. */
export async function setTokensOfRevoked(tx: Tx, subject: string): Promise<readonly string[]> {
  const rows = await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.subject, subject), isNull(tokens.revokedAt)))
    .returning({ id: tokens.id });
  return rows.map(({ id }) => id);
}

/** When each token was last used, as far as it has been noted. */
export async function findTokenUses(query: Query, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const rows = await query<{ id: string; usedAtMs: string }>(sql`
    SELECT token_id::text AS id, floor(extract(epoch FROM last_used_at) * 1000)::text AS "usedAtMs"
    FROM token_uses WHERE token_id::text = ANY (${sql.param([...ids])}::text[])`);
  return new Map(rows.map(({ id, usedAtMs }) => [id, new Date(Number(usedAtMs))]));
}

/**
 * Notes uses, given in Unix milliseconds by token. One that was noted less than `everyMs` before stands as it is, so that
 * a token's row is written no more often than that, however many gateways note it.
 */
export async function noteTokenUses(query: Query, uses: ReadonlyMap<string, number>, everyMs: number): Promise<void> {
  await query(sql`
    INSERT INTO token_uses AS noted (token_id, last_used_at)
    SELECT token.id, to_timestamp(given.used_at_ms / 1000.0)
    FROM unnest(${sql.param([...uses.keys()])}::uuid[], ${sql.param([...uses.values()])}::float8[]) AS given (id, used_at_ms)
    JOIN tokens AS token ON token.id = given.id ORDER BY token.id
    ON CONFLICT (token_id) DO UPDATE SET last_used_at = excluded.last_used_at
    WHERE excluded.last_used_at >= noted.last_used_at + ${everyMs}::float8 * interval '1 millisecond'`);
}

/** Revokes every token of this name that is not revoked yet. */
export async function revokeTokensNamed(tx: Tx, name: string): Promise<void> {
  await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.name, name), isNull(tokens.revokedAt)));
}
