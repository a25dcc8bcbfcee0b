// Changes of feature toggles. One that changes a flag publishes its one field of the environment's hash.
import { rootOf } from '../cache/index.js';
import {
  findEnvironment,
  findFlagFields,
  findFlags,
  type NewFlag,
  putFlags,
  setFlagArchived,
  setFlagEnabled,
  type Tx,
} from '../db/index.js';
import type { Context } from './context.js';
import { Invalid, NotFound } from './errors.js';
import { type Flag, flagKeyOf, flagsView, type Place, placeOfKey } from './flag.js';
import { flagDocument, flagField } from './flag-document.js';
import { environmentView, noEnvironment } from './flag-environment.js';
import { requireDefinition, requireDescription, requireEnvironmentKey, requireFlagKey } from './flag-input.js';
import type { Maybe } from './input.js';
import type { Json } from './json-limits.js';
import { type Receipt, type WriteOptions, write } from './write.js';

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
