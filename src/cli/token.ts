// `espelho token issue`: a token straight into the database, for whoever has none yet to issue it with.

import { randomBytes, randomUUID } from 'node:crypto';
import { insertChange, insertToken } from '../db/index.js';
import { loadOrCreateSecret } from '../embedded/index.js';
import { digestOf, globalId, isScope, makeSecret, prefixOf, SCOPES, type Scope } from '../resolvers/index.js';
import { awaitVisible, commandConfig, withDatabase } from './database.js';
import { UsageError } from './failure.js';
import type { Terminal } from './terminal.js';

export interface IssueOptions {
  readonly name: string;
  readonly subject: string;
  /** Between commas. */
  readonly scopes: string;
  readonly expiresAt?: string;
  readonly json?: true;
}

/** Issues a token and prints it with its secret, once every gateway accepts it. */
export async function issueToken(options: IssueOptions, terminal: Terminal): Promise<void> {
  const name = requireText('--name', options.name);
  const subject = requireText('--subject', options.subject);
  const scopes = requireScopes(options.scopes);
  const expiresAt = options.expiresAt === undefined ? null : requireFuture(options.expiresAt);
  const config = commandConfig(terminal.env);
  if (terminal.env.NODE_ENV === 'production' && config.databaseUrl && !config.tokenPepper) {
    throw new UsageError('ESPELHO_TOKEN_PEPPER must be set, the same as for the gateways, or they refuse the token.');
  }
  await withDatabase(terminal.env, async (connection) => {
    const pepper = config.tokenPepper ?? (await loadOrCreateSecret(config.home, 'token-pepper'));
    const secret = makeSecret(randomBytes(32));
    const prefix = prefixOf(secret);
    const id = randomUUID();
    await connection.db.transaction(async (tx) => {
      await insertToken(tx, { id, digest: digestOf(secret, pepper), name, prefix, subject, scopes, expiresAt });
      await insertChange(tx, {
        id: randomUUID(),
        actor: 'cli',
        action: 'issueToken',
        domain: 'TOKEN',
        key: id,
        after: { name, prefix, subject, scopes, expiresAt },
      });
    });
    const issued = { id: globalId('Token', id), token: secret, prefix, scopes, expiresAt };
    terminal.out(options.json ? `${JSON.stringify(issued)}\n` : readable(issued));
    await awaitVisible(connection);
  });
}

function readable(issued: { id: string; token: string; scopes: readonly Scope[]; expiresAt: Date | null }): string {
  return [
    `token    ${issued.token}`,
    `id       ${issued.id}`,
    `scopes   ${issued.scopes.join(', ')}`,
    `expires  ${issued.expiresAt?.toISOString() ?? 'never'}`,
    'Keep the token now: only its digest is stored, and it cannot be shown again.\n',
  ].join('\n');
}

function requireText(option: string, text: string): string {
  if (text.trim() !== '' && text.length <= 200 && !/\p{Cc}/u.test(text)) return text;
  throw new UsageError(`${option} has 1 to 200 characters and no control characters.`);
}

function requireScopes(text: string): Scope[] {
  const named = text
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
  const scopes = [...new Set(named)].filter(isScope);
  const unknown = named.filter((scope) => !isScope(scope)).map((scope) => JSON.stringify(scope.slice(0, 60)));
  if (unknown.length > 0) {
    throw new UsageError(`Unknown: ${unknown.join(', ')}. The scopes are: ${SCOPES.join(', ')}.`);
  }
  if (scopes.length === 0) throw new UsageError(`--scopes names none; the scopes are: ${SCOPES.join(', ')}.`);
  return scopes;
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

function requireFuture(text: string): Date {
  const time = new Date(text);
  if (!RFC_3339.test(text) || Number.isNaN(time.getTime())) {
    throw new UsageError(`--expires-at must be a time such as 2030-01-31T00:00:00Z.`);
  }
  if (time.getTime() <= Date.now()) {
    throw new UsageError('--expires-at lies in the past; leave it out for a token that does not expire.');
  }
  return time;
}
