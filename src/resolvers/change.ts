// The audit log as its readers see it. Rows are filed by the order in which they were written; a page goes back in time.
import { type ChangeDomain, type ChangeRow, findChanges, findChangesById } from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { Invalid } from './errors.js';
import type { Maybe, PageArgs } from './input.js';

export type Change = ChangeRow;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Longer than any key that a change is filed under. */
const MAX_KEY_LENGTH = 1_000;

/** Changes, the newest first, read from SQL; of one domain and of one key, if given. */
export async function listChanges(
  ctx: Context,
  args: PageArgs & { readonly domain?: Maybe<ChangeDomain>; readonly key?: Maybe<string> },
): Promise<Connection<Change>> {
  const { query, cursorKey } = ctx.services;
  const size = pageSize(args.first);
  const filter = { domain: args.domain ?? undefined, key: args.key ?? undefined };
  if (filter.key !== undefined && (filter.key.length > MAX_KEY_LENGTH || /[\0\p{Surrogate}]/u.test(filter.key))) {
    throw new Invalid(`No change is filed under such a key: it has up to ${MAX_KEY_LENGTH} characters.`, {
      path: ['key'],
    });
  }
  const question = ['changes', filter.domain ?? null, filter.key ?? null];
  const [sequence] = args.after ? openCursor(cursorKey, question, args.after) : [];
  const before = sequence === undefined ? undefined : String(sequence);
  const found = await ctx.cache.bypassing('changes', 'changes', () => findChanges(query, filter, before, size + 1));
  const edges = found.slice(0, size).map((node) => new KeysetEdge(node, cursorKey, question, [node.sequence]));
  return connectionOf(edges, found.length > size, args.after);
}

/** The change with this key, as its global id has it. */
export async function readChange(ctx: Context, key: string): Promise<Change | null> {
  if (!UUID.test(key)) return null;
  const find = () => findChangesById(ctx.services.query, [key]);
  const [change] = await ctx.cache.bypassing('changes', key, find);
  return change ?? null;
}
