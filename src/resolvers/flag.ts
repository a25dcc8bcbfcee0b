// Feature toggles: definitions by environment, one hash each, so that reading one flag moves one field. Evaluations of them
// are elsewhere, and never stored.
import type { Fields, HashView } from '../cache/index.js';
import { DatabaseUnavailable, loadFlags, type Query } from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { BadRequest } from './errors.js';
import { type FlagDocument, type FlagField, flagDocument, flagField } from './flag-document.js';
import type { Maybe, PageArgs } from './input.js';
import { Lasting } from './lasting.js';

export const flagsView: HashView<Query, FlagField> = {
  name: 'flags',
  format: 1,
  shape: 'hash',
  mode: 'available',
  ttlMs: 3_600_000,
  keepWarm: true,
  load: loadFlags,
  decodeField: flagField,
};

export interface Flag extends FlagDocument {
  /** True only when neither store could vouch for it. */
  readonly stale: boolean;
}

const MAX_KEYS = 1_000;

/** The flags among `keys`. */
export async function flagsByKey(
  ctx: Context,
  environment: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Flag>> {
  const found = flagsOf(environment, await ctx.cache.readFields(flagsView, environment, keys));
  return new Map(found.map((flag) => [flag.key, flag]));
}

/** One flag, whether it is switched on or not. */
export async function readFlag(ctx: Context, environment: string, key: string): Promise<Flag | null> {
  const found = await ctx.cache.readFields(flagsView, environment, [key]);
  const [flag] = flagsOf(environment, found);
  requireCertain(found, flag !== undefined);
  return flag ?? null;
}

/** Flags of an environment by key: those among `keys`, or all. An unknown environment has none. */
export async function listFlags(
  ctx: Context,
  { environment, keys, first, after }: PageArgs & { environment: string; keys?: Maybe<readonly string[]> },
): Promise<Connection<Flag>> {
  const { cursorKey } = ctx.services;
  const size = pageSize(first);
  if (keys && keys.length > MAX_KEYS) throw new BadRequest(`Ask for ${MAX_KEYS} flags at most at a time.`);
  const wanted = keys ? [...new Set(keys)].sort() : null;
  const question = ['flags', environment, wanted];
  const [from] = after ? openCursor(cursorKey, question, after) : [];
  const found = await (wanted
    ? ctx.cache.readFields(flagsView, environment, wanted)
    : ctx.cache.readAllFields(flagsView, environment));
  const all = flagsOf(environment, found);
  requireCertain(found, all.length > 0);
  return pages.of(all, `${size} ${after ?? null}`, () => {
    const rows = all
      .filter(({ key }) => from === undefined || key > String(from))
      .slice(0, size + 1)
      .map((node) => new KeysetEdge(node, cursorKey, question, [node.key]));
    return connectionOf(rows.slice(0, size), rows.length > size, after);
  });
}

const pages = new Lasting<readonly Flag[], Connection<Flag>>();

export const flagKeyOf = ({ environment, key }: Place): string => `${environment}/${key}`;

/** The place that such a key names. No environment's key has a slash. */
export function placeOfKey(key: string): Place | undefined {
  const slash = key.indexOf('/');
  return slash < 1 ? undefined : { environment: key.slice(0, slash), key: key.slice(slash + 1) };
}

export interface Place {
  readonly environment: string;
  readonly key: string;
}

function flagsOf(environment: string, found: Fields<FlagField>): readonly Flag[] {
  if (found.kind === 'absent') return [];
  return lists.of(found, environment, () =>
    [...found.fields]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, field]) => ({ ...flagDocument(environment, field), stale: found.stale })),
  );
}

const lists = new Lasting<Fields<FlagField>, readonly Flag[]>();

/** Each flag bears its own mark that says stale; "there is none" could not. */
function requireCertain(found: Fields<FlagField>, isMarked: boolean): void {
  if (found.kind === 'absent' || !found.stale || isMarked) return;
  throw new DatabaseUnavailable('Postgres is out of reach, and the cache is out of date; try again.');
}
