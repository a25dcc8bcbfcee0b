// Evaluations of flags: definitions come out of the cache, no result is stored. An evaluation fails no query: what
// cannot be evaluated has the caller's default as its value, the reason ERROR, and a code that says why.
import type { Fields } from '../cache/index.js';
import { DatabaseUnavailable } from '../db/index.js';
import type { Context } from './context.js';
import { hasScope } from './context.js';
import { BadRequest } from './errors.js';
import { flagsView } from './flag.js';
import { compiledFlag, errorVerdict, type Verdict } from './flag-compiled.js';
import type { FlagField } from './flag-document.js';
import { environmentView } from './flag-environment.js';
import { isObject } from './flag-targeting.js';
import type { Maybe } from './input.js';
import type { Json, JsonObject } from './json-limits.js';

export interface Evaluation extends Verdict {
  readonly key: string;
  /** The flag's own; null where there is none. */
  readonly version: bigint | null;
  readonly stale: boolean;
}

interface Asked {
  readonly environment: string;
  /** An object, as OpenFeature has it; what fractions go by is its `targetingKey`. */
  readonly context?: Json | undefined;
}

/** One flag for one context. A flag of an environment that the caller may not evaluate is a missing one. */
export async function evaluateFlag(
  ctx: Context,
  { key, default: fallback = null, ...asked }: Asked & { readonly key: string; readonly default?: Json | undefined },
): Promise<Evaluation> {
  const [evaluation] = await evaluateInDoubt(ctx, asked, [key], fallback);
  if (!evaluation) throw new Error('An evaluation got lost.');
  return evaluation;
}

export const MAX_EVALUATIONS = 1_000;

/**
 * The flags `keys` of an environment for one context, in that order; all of them by key when no keys are given.
 * @throws {BadRequest} when too many keys are asked for; what the database threw when all flags are asked for and
 *   neither store can list them.
 */
export async function evaluateFlags(
  ctx: Context,
  { keys, ...asked }: Asked & { readonly keys?: Maybe<readonly string[]> },
): Promise<readonly Evaluation[]> {
  if (keys && keys.length > MAX_EVALUATIONS)
    throw new BadRequest(`Ask for ${MAX_EVALUATIONS} flags at most at a time.`);
  return keys ? evaluateInDoubt(ctx, asked, keys, null) : ((await evaluateAll(ctx, asked)) ?? []);
}

/**
 * All flags of an environment for one context, by key; undefined where the caller may evaluate no such environment.
 * @throws what the database threw when neither store can list them.
 */
export async function evaluateAll(ctx: Context, asked: Asked): Promise<readonly Evaluation[] | undefined> {
  const found = await ctx.cache.readAllFields(flagsView, asked.environment);
  if (found.kind === 'absent') return undefined;
  // What one of them says of its environment, all of them say.
  const [first] = found.fields;
  if (!first && found.stale) {
    throw new DatabaseUnavailable('Postgres is out of reach, and the cache is out of date; try again.');
  }
  const open = first ? isOpen(ctx, asked.environment, ...first) : await isOpenEmpty(ctx, asked.environment);
  return open ? [...found.fields.keys()].sort().map((key) => evaluationOf(ctx, asked, key, found, null)) : undefined;
}

/**
 * The flags `keys` for one context, in that order; `fallback` is the value of what cannot be evaluated.
 * @throws what the database threw when neither store can be read.
 */
export async function evaluateEach(
  ctx: Context,
  asked: Asked,
  keys: readonly string[],
  fallback: Json,
): Promise<readonly Evaluation[]> {
  const found = await ctx.cache.readFields(flagsView, asked.environment, [...new Set(keys)]);
  return keys.map((key) => evaluationOf(ctx, asked, key, found, fallback));
}

/** The same, with an error as the answer where neither store can be read. */
async function evaluateInDoubt(
  ctx: Context,
  asked: Asked,
  keys: readonly string[],
  fallback: Json,
): Promise<readonly Evaluation[]> {
  try {
    return await evaluateEach(ctx, asked, keys, fallback);
  } catch {
    const verdict = errorVerdict(fallback, 'GENERAL', 'Neither the cache nor the database can be read now; try again.');
    return keys.map((key) => ({ ...verdict, key, version: null, stale: false }));
  }
}

function evaluationOf(
  ctx: Context,
  { environment, context }: Asked,
  key: string,
  found: Fields<FlagField>,
  fallback: Json,
): Evaluation {
  const field = found.kind === 'present' ? found.fields.get(key) : undefined;
  if (found.kind === 'absent' || !field || !isOpen(ctx, environment, key, field)) {
    const place = `${JSON.stringify(key.slice(0, 200))} in ${JSON.stringify(environment.slice(0, 100))}`;
    const verdict = errorVerdict(fallback, 'FLAG_NOT_FOUND', `There is no flag ${place} that you may evaluate.`);
    return { ...verdict, key, version: null, stale: found.kind === 'present' && found.stale };
  }
  const { version, evaluate, timeless } = compiledFlag(environment, key, field);
  ctx.repetition.eachTime({ kind: 'flag-evaluated', environment, key });
  if (!timeless) ctx.repetition.moment(endOfSecond);
  const verdict = isContext(context ?? {})
    ? evaluate(isContext(context) ? context : {}, fallback)
    : errorVerdict(fallback, 'INVALID_CONTEXT', 'A context is an object, such as {"targetingKey": "ana"}.');
  return { ...verdict, key, version, stale: found.stale };
}

/** flagd tells rules the time in whole seconds. */
const endOfSecond = (nowMs: number): number => (Math.floor(nowMs / 1_000) + 1) * 1_000;

const isOpen = (ctx: Context, environment: string, key: string, field: FlagField): boolean =>
  hasScope(ctx, 'flags:evaluate') || compiledFlag(environment, key, field).public;

/** Of an environment without flags, only its own entry says whether it is public. */
async function isOpenEmpty(ctx: Context, environment: string): Promise<boolean> {
  if (hasScope(ctx, 'flags:evaluate')) return true;
  const found = await ctx.cache.read(environmentView, environment);
  return found.kind === 'present' && found.value.public;
}

const isContext = (context: Json | undefined): context is JsonObject => isObject(context);
