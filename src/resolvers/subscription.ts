// What clients can follow, and who is told of what.
import { DatabaseUnavailable } from '../db/index.js';
import { readAccount, type Statement, statementView } from './bank-statement.js';
import { type Context, hasScope } from './context.js';
import { BadRequest } from './errors.js';
import { type Flag, placeOfKey, readFlag } from './flag.js';
import { readEnvironment } from './flag-environment.js';
import type { Maybe } from './input.js';
import { follow, type Stream } from './live.js';
import { type Menu, menuView } from './menu.js';
import { requireKey } from './menu-item.js';

const MAX_KEYS = 50;

/** Menus that were saved or edited, in any locale: those with these keys, or all. A deleted one tells nothing. */
export function followMenus(ctx: Context, keys: Maybe<readonly string[]>): Promise<Stream<Menu>> {
  if (keys && (keys.length === 0 || keys.length > MAX_KEYS))
    throw new BadRequest(`Name 1 to ${MAX_KEYS} menus, or leave keys out to follow all of them.`);
  const wanted = keys && new Set(keys.map((key, at) => requireKey(key, ['keys', String(at)])));
  return follow<Menu>(ctx, {
    view: menuView.name,
    concerns: (key) => !wanted || wanted.has(key.slice(0, key.lastIndexOf(':'))),
    read: async (now, { key, version }) => {
      const menu = await now.cache.readAtLeast(menuView, key, version);
      return menu.kind === 'present' ? menu : null;
    },
  });
}

/**
 * Days of the account that are closed or restated, or become other than they were. Of an account that the caller may not
 * read at that moment it tells nothing, as of one that does not exist.
 */
export function followStatements(ctx: Context, account: string): Promise<Stream<Statement>> {
  return follow<Statement>(ctx, {
    view: statementView.name,
    concerns: (key) => key.slice(0, key.lastIndexOf('/')) === account,
    read: async (now, { key, version }) => {
      if (!(await readAccount(now, account))) return null;
      const statement = await now.cache.readAtLeast(statementView, key, version);
      return statement.kind === 'present' && statement.value.status !== 'OPEN' ? statement : null;
    },
  });
}

/** Flags of the environment that were saved, switched or edited; archived ones tell nothing. Told to whoever may evaluate them. */
export function followFlags(ctx: Context, environment: string): Promise<Stream<Flag>> {
  return follow<Flag>(ctx, {
    view: 'flag',
    concerns: (key) => placeOfKey(key)?.environment === environment,
    read: async (now, { key, version }) => {
      if (!hasScope(now, 'flags:evaluate') && !(await readEnvironment(now, environment))) return null;
      const flag = await readFlag(now, environment, placeOfKey(key)?.key ?? '');
      if (flag && (flag.stale || flag.version < version))
        throw new DatabaseUnavailable('The flag that changed cannot be read now; subscribe again.');
      return flag;
    },
  });
}
