// The data as the peers read it from Postgres: prepared statements, one or two for each answer, in the shape of the schema.
import { createHmac } from 'node:crypto';
import postgres from 'postgres';

/** Global ids, as the gateway gives them. */
const idOf = (type, key) => Buffer.from(`${type}:${key}`).toString('base64url');

export function openDocuments({ databaseUrl, pepper }) {
  const sql = postgres(databaseUrl, { max: 10 });

  return {
    digestOf: (secret) => createHmac('sha256', pepper).update(secret).digest('hex'),

    /** A whole menu, or null. */
    menu: async (key) => {
      const [menu] = await sql`SELECT id, key, title FROM menus WHERE key = ${key} AND locale = 'en'`;
      if (!menu) return null;
      const rows = await sql`SELECT key, parent_key, label, url FROM menu_items WHERE menu_id = ${menu.id}
        ORDER BY position, key`;
      return { id: idOf('Menu', `${key}:en`), key: menu.key, title: menu.title, items: treeOf(rows) };
    },

    flags: async (environment) => {
      const rows = await sql`SELECT key, enabled, definition->>'defaultVariant' AS "defaultVariant" FROM flags
        WHERE environment = ${environment} AND archived_at IS NULL ORDER BY key COLLATE "C" LIMIT 50`;
      const nodes = rows.map((row) => ({ id: idOf('Flag', `${environment}/${row.key}`), ...row }));
      return { edges: nodes.map((node) => ({ node })) };
    },

    /** The latest closed day of an account and its first 20 lines, or null. */
    statement: async (number) => {
      const [day] = await sql`SELECT account.id AS account_id, account.holder, account.currency, day.date::text,
          day.revision, day.status, day.opening, day.closing
        FROM accounts AS account JOIN business_days AS day ON day.account_id = account.id
        WHERE account.number = ${number} AND day.status <> 'OPEN' ORDER BY day.date DESC, day.revision DESC LIMIT 1`;
      if (!day) return null;
      const lines = await sql`SELECT external_id, minor, description, kind FROM transactions
        WHERE account_id = ${day.account_id} AND date = ${day.date} AND revision = ${day.revision}
        ORDER BY position LIMIT 21`;
      const nodes = lines.slice(0, 20).map((line) => ({
        id: idOf('Transaction', `${number}/${day.date}:${day.revision}/${line.external_id}`),
        externalId: line.external_id,
        bookedOn: day.date,
        amount: moneyOf(line.minor, day.currency),
        description: line.description,
        kind: line.kind,
      }));
      return {
        id: idOf('Statement', `${number}/${day.date}`),
        holder: day.holder,
        date: day.date,
        status: day.status,
        opening: moneyOf(day.opening, day.currency),
        closing: moneyOf(day.closing, day.currency),
        lines: { edges: nodes.map((node) => ({ node })), pageInfo: { hasNextPage: lines.length > 20 } },
      };
    },

    /** A token that is active, by the digest of its secret; or null. */
    token: async (digest) => {
      const [token] = await sql`SELECT id, subject, scopes, floor(extract(epoch FROM created_at))::text AS iat
        FROM tokens WHERE digest = ${digest} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
      return token ? { ...token, jti: idOf('Token', token.id) } : null;
    },

    /** The id of the menu whose item was renamed, or null. */
    rename: async (key, item, label) => {
      const renamed = await sql`UPDATE menu_items SET label = ${label} WHERE key = ${item}
        AND menu_id = (SELECT id FROM menus WHERE key = ${key} AND locale = 'en') RETURNING key`;
      return renamed.length > 0 ? idOf('Menu', `${key}:en`) : null;
    },
  };
}

function treeOf(rows) {
  const items = new Map(rows.map(({ key, label, url }) => [key, { key, label, url, children: [] }]));
  const top = [];
  for (const { key, parent_key: parent } of rows) {
    const siblings = parent === null ? top : items.get(parent).children;
    siblings.push(items.get(key));
  }
  return top;
}

function moneyOf(minor, currency) {
  const digits = String(Math.abs(Number(minor))).padStart(3, '0');
  const decimal = `${Number(minor) < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return { minor: String(minor), currency, decimal };
}
