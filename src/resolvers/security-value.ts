// Security values of all kinds, by name: what each kind is, its own file says.
import type { SecurityValueKind } from '../db/index.js';
import { findSecurityValues, type ListedSecurityValue } from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { Invalid } from './errors.js';
import type { Maybe, PageArgs } from './input.js';
import { readSecret, secretView } from './secret.js';
import { readSecurityList } from './security-list.js';
import { readParameter } from './security-parameter.js';
import { isSecurityName, type SecurityValue } from './security-record.js';

const DAY_MS = 86_400_000;

/** The value of this name, whatever its kind. The three views are asked in one round-trip: two of them know that they have none. */
export async function readSecurityValue(ctx: Context, name: string): Promise<SecurityValue | null> {
  if (!isSecurityName(name)) return null;
  const [parameter, list, secret] = await Promise.all([
    readParameter(ctx, name),
    readSecurityList(ctx, name),
    readSecret(ctx, name),
  ]);
  return parameter ?? list ?? secret;
}

/** Security values by name, read from SQL. */
export async function listSecurityValues(
  ctx: Context,
  args: PageArgs & {
    readonly prefix?: Maybe<string>;
    readonly kind?: Maybe<SecurityValueKind>;
    readonly rotationDue?: Maybe<boolean>;
  },
): Promise<Connection<SecurityValue>> {
  const { query, cursorKey, now } = ctx.services;
  const size = pageSize(args.first);
  const prefix = args.prefix ?? undefined;
  if (prefix !== undefined && (prefix.length > 200 || /[\0\p{Surrogate}]/u.test(prefix))) {
    throw new Invalid('prefix is the beginning of a name, of 200 characters at most.', { path: ['prefix'] });
  }
  const kind = args.kind ?? undefined;
  const rotationDue = args.rotationDue ?? undefined;
  const question = ['securityValues', prefix ?? null, kind ?? null, rotationDue ?? null];
  const [name] = args.after ? openCursor(cursorKey, question, args.after) : [];
  const after = name === undefined ? undefined : String(name);
  // Told under the view that shows least of itself, whatever kinds there are.
  const found = await ctx.cache.bypassing(secretView.name, 'securityValues', () =>
    findSecurityValues(query, { prefix, kind, rotationDue, nowMs: now() }, after, size + 1),
  );
  const edges = found.slice(0, size).map((row) => new KeysetEdge(recordOf(row), cursorKey, question, [row.name]));
  return connectionOf(edges, found.length > size, args.after);
}

/** The number of a secret's current version; null where there is none. */
export const currentVersionOf = ({ versions }: SecurityValue): number | null =>
  versions.find(({ state }) => state === 'CURRENT')?.number ?? null;

/** When the secret is to be replaced; null when it never is. */
export function rotationDueOf({ versions, rotateEveryDays }: SecurityValue): Date | null {
  const current = versions.find(({ state }) => state === 'CURRENT');
  return current && rotateEveryDays !== null ? new Date(current.createdAt + rotateEveryDays * DAY_MS) : null;
}

function recordOf({ version, changedAt, ...rest }: ListedSecurityValue): SecurityValue {
  return { ...rest, version: BigInt(version), asOf: new Date(changedAt), stale: false };
}
