// Environments: what flags belong to. Anybody may evaluate the flags of a public one.
import { type Present, rootOf, type TextView } from '../cache/index.js';
import {
  findEnvironment,
  findEnvironmentKeys,
  findFlagKeys,
  findFlags,
  loadEnvironments,
  putEnvironment,
  putFlags,
  type Query,
  type Tx,
  txQuery,
} from '../db/index.js';
import { type Context, hasScope } from './context.js';
import { Invalid, NotFound } from './errors.js';
import { requireEnvironmentKey } from './flag-input.js';
import type { Maybe } from './input.js';
import { type WriteOptions, write } from './write.js';

export interface EnvironmentDocument {
  readonly key: string;
  readonly public: boolean;
  /** Without archived ones. */
  readonly flagCount: number;
}

export type Environment = Present<EnvironmentDocument>;

export const environmentView: TextView<Query, EnvironmentDocument> = {
  name: 'environment',
  format: 1,
  shape: 'text',
  mode: 'available',
  ttlMs: 3_600_000,
  keepWarm: true,
  load: loadEnvironments,
  decode: (json) => JSON.parse(json) as EnvironmentDocument,
};

/** More than anybody has. */
const MAX_ENVIRONMENTS = 1_000;

/** Environments by key: all to readers of flags, public ones to anybody. */
export async function listEnvironments(ctx: Context): Promise<readonly Environment[]> {
  const find = () => findEnvironmentKeys(ctx.services.query, hasScope(ctx, 'flags:read'), MAX_ENVIRONMENTS);
  const keys = await ctx.cache.bypassing('environment', 'environments', find);
  const environments = await Promise.all(keys.map((key) => readEnvironment(ctx, key)));
  return environments.filter((environment) => environment !== null);
}

/** One environment; one that is not public looks like a missing one without flags:read. */
export async function readEnvironment(ctx: Context, key: string): Promise<Environment | null> {
  const found = await ctx.cache.read(environmentView, key);
  return found.kind === 'present' && (found.value.public || hasScope(ctx, 'flags:read')) ? found : null;
}

/** Makes the environment, or opens or closes it to anybody. */
export async function saveEnvironment(
  ctx: Context,
  args: { readonly key: string; readonly public: boolean },
  options?: Maybe<WriteOptions>,
) {
  const key = requireEnvironmentKey(args.key, ['key']);
  const plan = {
    action: 'saveEnvironment',
    domain: 'FLAG' as const,
    key,
    // Each flag is cached with whether its environment is public: no flag may be written meanwhile.
    roots: [rootOf(environmentView, key), { view: 'flags', key }] as const,
    options,
  };
  const { receipt, result } = await write(ctx, plan, async (tx) => {
    const before = await putEnvironment(tx, key, args.public);
    return { result: await environmentIn(tx, key), before, after: { public: args.public } };
  });
  return { receipt, environment: result };
}

/** What one transaction can write in time. */
const MAX_COPIED = 10_000;

/**
 * Promotes every live flag of `from` into `to`, which is made, and not public, where there is none. A flag that lives in
 * `to` already keeps its switch; flags that `to` alone has stay. `copied` are those that became other than they were.
 */
export async function copyEnvironment(
  ctx: Context,
  { from, to }: { readonly from: string; readonly to: string },
  options?: Maybe<WriteOptions>,
) {
  for (const [field, key] of Object.entries({ from, to })) requireEnvironmentKey(key, [field]);
  if (from === to) throw new Invalid('from and to are one environment; name another one.', { path: ['to'] });
  // Only which locks are taken in order depends on what is found here; what is copied is read under them.
  const expected = await findFlagKeys(ctx.services.query, from, MAX_COPIED + 1);
  const plan = {
    action: 'copyEnvironment',
    domain: 'FLAG' as const,
    key: to,
    roots: [
      rootOf(environmentView, to),
      ...[from, to].map((key) => ({ view: 'flags', key })),
      ...expected.map((key) => ({ view: 'flag', key: `${to}/${key}` })),
    ] as const,
    options,
  };
  const { receipt, result } = await write(ctx, plan, async (tx) => {
    if (!(await findEnvironment(tx, from))) throw noEnvironment(from, ['from']);
    const keys = await findFlagKeys(txQuery(tx), from, MAX_COPIED + 1);
    if (keys.length > MAX_COPIED) {
      const sentence = `${from} has more than ${MAX_COPIED} flags, too many to copy at once: import them with "espelho import flags".`;
      throw new Invalid(sentence, { path: ['from'] });
    }
    const made = !(await findEnvironment(tx, to));
    if (made) await putEnvironment(tx, to, false);
    const [sources, standing] = [await findFlags(tx, from, keys), await findFlags(tx, to, keys)];
    const wanted = [...sources.values()].map(({ archived: _, ...flag }) => {
      const there = standing.get(flag.key);
      return { ...flag, enabled: there && !there.archived ? there.enabled : flag.enabled };
    });
    const copied = (await putFlags(tx, to, wanted)).length;
    const facts = { copied, unchanged: wanted.length - copied };
    const environment = await environmentIn(tx, to);
    return { result: { ...facts, environment }, before: { existed: !made }, after: { from, ...facts } };
  });
  return { receipt, ...result };
}

/** The environment as this transaction leaves it. */
async function environmentIn(tx: Tx, key: string): Promise<Environment> {
  const [entry] = await loadEnvironments(txQuery(tx), [key]);
  if (!entry?.value) throw noEnvironment(key, ['key']);
  const { value, version, changedAtMs } = entry;
  const facts = { version: BigInt(version), asOf: new Date(changedAtMs), stale: false };
  return { kind: 'present', value: environmentView.decode(value), ...facts };
}

export const noEnvironment = (key: string, path: readonly string[]) =>
  new NotFound(`There is no environment ${JSON.stringify(key)}; saveEnvironment makes one.`, { path });
