// What all contestants serve: written once through the gateway's own tables, so that the change log has it, and copied
// for the others, who know no change log.
import type postgres from 'postgres';
import { migrate } from '../../src/db/index.js';
import { digestOf, prefixOf } from '../../src/resolvers/token-secret.js';
import { copyWithoutChangeLog, databaseUrlOf, type Servers, withDatabase } from '../support/servers.js';
import { introspected, PEPPER, scope, service } from './secrets.js';
import { FLAGS_PER_ENVIRONMENT, LINES_PER_SCOPE, LINES_PER_STATEMENT, type Size } from './size.js';

export interface Databases {
  readonly espelhoUrl: string;
  readonly plainUrl: string;
}

const CHUNK = 10_000;

/** Fills both databases; `importLarge` puts more into the first before it is copied. */
export async function seed(
  { databaseUrl }: Servers,
  size: Size,
  importLarge: (espelhoUrl: string) => Promise<void>,
): Promise<Databases> {
  const espelhoUrl = databaseUrlOf(databaseUrl, 'bench_espelho');
  await withDatabase(databaseUrl, (psql) => psql`CREATE DATABASE bench_espelho`);
  await migrate(espelhoUrl);
  await withDatabase(espelhoUrl, async (psql) => {
    await fillMenus(psql, size);
    await fillFlags(psql, size);
    await fillAccounts(psql, 'account', 0, size.accounts, LINES_PER_STATEMENT);
    await fillTokens(psql, [
      {
        secret: service(),
        subject: 'service',
        scopes: ['menus:write', 'flags:read', 'statements:read-any', 'tokens:introspect'],
      },
      ...Array.from({ length: size.tokens }, (_, at) => ({
        secret: introspected(at),
        subject: `subject-${at}`,
        scopes: ['statements:read'],
      })),
    ]);
    for (let from = 0; from < size.scopes; from += CHUNK) {
      const length = Math.min(CHUNK, size.scopes - from);
      await fillAccounts(psql, 'scope', from, from + length, LINES_PER_SCOPE);
      const holders = Array.from({ length }, (_, at) => from + at);
      await fillTokens(
        psql,
        holders.map((at) => ({ secret: scope(at), subject: `scope-${at}`, scopes: ['statements:read'] })),
      );
    }
  });
  await importLarge(espelhoUrl);
  const plainUrl = await copyWithoutChangeLog(databaseUrl, 'bench_espelho', 'bench_plain');
  for (const url of [espelhoUrl, plainUrl]) await withDatabase(url, (psql) => psql`VACUUM ANALYZE`);
  return { espelhoUrl, plainUrl };
}

async function fillMenus(psql: postgres.Sql, { menus }: Size): Promise<void> {
  await psql`INSERT INTO menus (key, locale, title)
    SELECT 'menu-' || menu, 'en', 'Menu ' || menu FROM generate_series(0, ${menus - 1}::int) AS menu`;
  // Six items at the top, nine below each of them.
  await psql`INSERT INTO menu_items (menu_id, key, parent_key, position, label, url)
    SELECT id, 'i' || item, NULL, item, 'Label of item ' || item, '/' || menus.key || '/' || item
    FROM menus, generate_series(0, 5) AS item`;
  await psql`INSERT INTO menu_items (menu_id, key, parent_key, position, label, url)
    SELECT id, 'i' || item || '.' || child, 'i' || item, child, 'Label of item ' || item || '.' || child,
      '/' || menus.key || '/' || item || '/' || child
    FROM menus, generate_series(0, 5) AS item, generate_series(0, 8) AS child`;
}

async function fillFlags(psql: postgres.Sql, { environments }: Size): Promise<void> {
  const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
  await psql`INSERT INTO environments (key, public)
    SELECT 'environment-' || environment, true FROM generate_series(0, ${environments - 1}::int) AS environment`;
  await psql`INSERT INTO flags (environment, key, enabled, definition)
    SELECT environments.key, 'flag-' || lpad(flag::text, 3, '0'), flag % 3 <> 0, ${psql.json(definition)}
    FROM environments, generate_series(0, ${FLAGS_PER_ENVIRONMENT - 1}::int) AS flag`;
}

/** Each account has one closed day, yesterday. */
async function fillAccounts(psql: postgres.Sql, name: string, from: number, to: number, lines: number): Promise<void> {
  const inserted = await psql<{ id: string }[]>`INSERT INTO accounts (number, holder, currency, time_zone, opening)
    SELECT ${name} || '-' || account, ${name} || '-' || account, 'BRL', 'America/Sao_Paulo', 100000
    FROM generate_series(${from}::int, ${to - 1}::int) AS account RETURNING id`;
  const ids = inserted.map(({ id }) => id);
  await psql`INSERT INTO business_days (account_id, date, revision, status, opening, credits, debits, closing, count)
    SELECT id, current_date - 1, 1, 'CLOSED', 100000, total.credits, total.debits,
      100000 + total.credits - total.debits, ${lines}::int
    FROM unnest(${ids}::uuid[]) AS id, (
      SELECT sum(1000 + line) FILTER (WHERE line % 2 = 1) AS credits, sum(500 + line) FILTER (WHERE line % 2 = 0) AS debits
      FROM generate_series(1, ${lines}::int) AS line) AS total`;
  await psql`INSERT INTO transactions (account_id, date, revision, position, external_id, minor, description, kind)
    SELECT id, current_date - 1, 1, line, 'line-' || line,
      CASE WHEN line % 2 = 1 THEN 1000 + line ELSE -(500 + line) END, 'Payment no. ' || line, 'PIX'
    FROM unnest(${ids}::uuid[]) AS id, generate_series(1, ${lines}::int) AS line`;
}

interface NewToken {
  readonly secret: string;
  readonly subject: string;
  readonly scopes: readonly string[];
}

async function fillTokens(psql: postgres.Sql, tokens: readonly NewToken[]): Promise<void> {
  await psql`INSERT INTO tokens (digest, name, prefix, subject, scopes)
    SELECT digest, 'measured', prefix, subject, string_to_array(scopes, ',')
    FROM unnest(${tokens.map(({ secret }) => digestOf(secret, PEPPER))}::text[],
      ${tokens.map(({ secret }) => prefixOf(secret))}::text[], ${tokens.map(({ subject }) => subject)}::text[],
      ${tokens.map(({ scopes }) => scopes.join(','))}::text[]) AS token (digest, prefix, subject, scopes)`;
}
