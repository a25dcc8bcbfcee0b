// Environments: what flags belong to. Anybody may evaluate the flags of a public one.
import { type Present, rootOf, type TextView } from '../cache/index.js';
import { findEnvironmentKeys, loadEnvironments, putEnvironment, type Query } from '../db/index.js';
import { type Context, hasScope } from './context.js';
import { NotFound } from './errors.js';
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
  const { receipt } = await write(ctx, plan, async (tx) => {
    const before = await putEnvironment(tx, key, args.public);
    return { result: undefined, before, after: { public: args.public } };
  });
  const found = await ctx.cache.read(environmentView, key);
  if (found.kind === 'absent') throw noEnvironment(key, ['key']);
  return { receipt, environment: found };
}

export const noEnvironment = (key: string, path: readonly string[]) =>
  new NotFound(`There is no environment ${JSON.stringify(key)}; saveEnvironment makes one.`, { path });
