// Feature toggles: definitions by environment, one hash each, so that reading one flag moves one field and changing one
// publishes one. Evaluations of them are elsewhere, and never stored.
import { type Fields, type HashView, rootOf } from '../cache/index.js';
import {
  DatabaseUnavailable,
  findEnvironment,
  findFlagFields,
  findFlags,
  loadFlags,
  type NewFlag,
  putFlags,
  type Query,
  setFlagArchived,
  setFlagEnabled,
  type Tx,
} from '../db/index.js';
import type { Context } from './context.js';
import { type Connection, connectionOf, KeysetEdge, openCursor, pageSize } from './cursor.js';
import { BadRequest, Invalid, NotFound } from './errors.js';
import { type FlagDocument, type FlagField, flagDocument, flagField } from './flag-document.js';
import { environmentView, noEnvironment } from './flag-environment.js';
import { requireDefinition, requireDescription, requireEnvironmentKey, requireFlagKey } from './flag-input.js';
import type { Maybe, PageArgs } from './input.js';
import type { Json } from './json-limits.js';
import { Lasting } from './lasting.js';
import { type Receipt, type WriteOptions, write } from './write.js';

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

export interface SaveFlagInput {
  readonly environment: string;
  readonly key: string;
  readonly enabled: boolean;
  readonly description?: Maybe<string>;
  /** In flagd's JSON form. */
  readonly definition?: Json | undefined;
}

/** Makes the flag exactly what `input` says, whether it was there, archived or not. Its environment must exist. */
export async function saveFlag(ctx: Context, input: SaveFlagInput, options?: Maybe<WriteOptions>) {
  const environment = requireEnvironmentKey(input.environment, ['input', 'environment']);
  const flag: NewFlag = {
    key: requireFlagKey(input.key, ['input', 'key']),
    enabled: input.enabled,
    description: requireDescription(input.description, ['input', 'description']),
    definition: requireDefinition(input.definition ?? null, ['input', 'definition']),
  };
  const place = { environment, key: flag.key };
  return writeFlag(ctx, planOf('saveFlag', place, options, [rootOf(environmentView, environment)]), async (tx) => {
    if (!(await findEnvironment(tx, environment))) throw noEnvironment(environment, ['input', 'environment']);
    const before = await liveFlag(tx, place);
    await putFlags(tx, environment, [flag]);
    return { before, after: auditOf(flag) };
  });
}

/** Switches the flag on or off, and leaves its definition alone. */
export async function toggleFlag(
  ctx: Context,
  args: Place & { readonly enabled: boolean },
  options?: Maybe<WriteOptions>,
) {
  const place = requirePlace(args);
  const { enabled } = args;
  return writeFlag(ctx, planOf('toggleFlag', place, options), async (tx) => {
    const before = await liveFlag(tx, place);
    if (!before) throw noFlag(place);
    await setFlagEnabled(tx, place.environment, place.key, enabled);
    return { before: { enabled: before.enabled }, after: { enabled } };
  });
}

/**
 * Makes the flag in `to` what it is in `from`, definition and description. Where it lives in `to` it keeps its switch
 * there, so that promoting undoes no kill switch; where it does not, it is made with the switch of `from`.
 */
export async function promoteFlag(
  ctx: Context,
  { key, from, to }: { readonly key: string; readonly from: string; readonly to: string },
  options?: Maybe<WriteOptions>,
) {
  const source = { environment: requireEnvironmentKey(from, ['from']), key: requireFlagKey(key, ['key']) };
  const place = { environment: requireEnvironmentKey(to, ['to']), key };
  if (from === to) throw new Invalid('from and to are one environment; name another one.', { path: ['to'] });
  const more = [rootOf(environmentView, to), { view: 'flag', key: flagKeyOf(source) }];
  return writeFlag(ctx, planOf('promoteFlag', place, options, more), async (tx) => {
    if (!(await findEnvironment(tx, to))) throw noEnvironment(to, ['to']);
    const promoted = await liveFlag(tx, source);
    if (!promoted) throw noFlag(source);
    const before = await liveFlag(tx, place);
    const flag = { ...promoted, key, enabled: before?.enabled ?? promoted.enabled };
    await putFlags(tx, to, [flag]);
    return { before, after: { ...auditOf(flag), from } };
  });
}

/** Archives the flag: nobody reads or evaluates it any more, and its row stays. */
export async function archiveFlag(ctx: Context, args: Place, options?: Maybe<WriteOptions>) {
  const place = requirePlace(args);
  const { environment, key } = place;
  const plan = planOf('archiveFlag', place, options, [rootOf(environmentView, environment)]);
  const { receipt } = await write(ctx, plan, async (tx) => {
    const before = await liveFlag(tx, place);
    if (!before) throw noFlag(place);
    await setFlagArchived(tx, environment, key);
    const { count } = await findFlagFields(tx, environment, []);
    const delta = { ...rootOf(flagsView, environment), set: [], remove: [key], count };
    return { result: undefined, before, after: { archived: true }, deltas: [delta] };
  });
  return { receipt, environment, key };
}

export const flagKeyOf = ({ environment, key }: Place): string => `${environment}/${key}`;

/** The place that such a key names. No environment's key has a slash. */
export function placeOfKey(key: string): Place | undefined {
  const slash = key.indexOf('/');
  return slash < 1 ? undefined : { environment: key.slice(0, slash), key: key.slice(slash + 1) };
}

interface Place {
  readonly environment: string;
  readonly key: string;
}

type Plan = Parameters<typeof write>[1];

/** The flag's own root comes first: its version is the one expected and receipted. */
const planOf = (
  action: string,
  place: Place,
  options: Maybe<WriteOptions>,
  more: readonly ReturnType<typeof rootOf>[] = [],
): Plan => ({
  action,
  domain: 'FLAG',
  key: flagKeyOf(place),
  roots: [{ view: 'flag', key: flagKeyOf(place) }, rootOf(flagsView, place.environment), ...more],
  options,
});

/** Writes one flag, publishes its one field, and answers it as this very transaction left it. */
async function writeFlag(
  ctx: Context,
  plan: Plan,
  body: (tx: Tx) => Promise<{ readonly before: unknown; readonly after: unknown }>,
): Promise<{ receipt: Receipt; flag: Flag }> {
  const place = placeOfKey(plan.key) ?? { environment: '', key: '' };
  const { environment, key } = place;
  const { result, receipt } = await write(ctx, plan, async (tx) => {
    const facts = await body(tx);
    const { pairs, count } = await findFlagFields(tx, environment, [key]);
    const json = pairs[1];
    if (json === undefined) throw noFlag(place);
    const delta = { ...rootOf(flagsView, environment), set: pairs, remove: [], count };
    return { ...facts, result: flagDocument(environment, flagField(json)), deltas: [delta] };
  });
  return { receipt, flag: { ...result, stale: false } };
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

async function liveFlag(tx: Tx, { environment, key }: Place): Promise<ReturnType<typeof auditOf> | undefined> {
  const found = (await findFlags(tx, environment, [key])).get(key);
  return found && !found.archived ? auditOf(found) : undefined;
}

const auditOf = ({ enabled, description, definition }: NewFlag) => ({ enabled, description, definition });

const requirePlace = ({ environment, key }: Place): Place => ({
  environment: requireEnvironmentKey(environment, ['environment']),
  key: requireFlagKey(key, ['key']),
});

const noFlag = ({ environment, key }: Place) =>
  new NotFound(`There is no flag ${JSON.stringify(key)} in ${environment}; saveFlag makes one.`, { path: ['key'] });
