// References of a targeting rule to the shared rules of its document: `{"$ref": "name"}`. A flag here stands by itself,
// so references are replaced by what they name.
import { isObject } from './flag-targeting.js';
import type { Json } from './json-limits.js';

export interface Resolved {
  readonly targeting: Json;
  /** Names of evaluators that do not exist, or refer to themselves; such references are left as they are. */
  readonly dangling: readonly string[];
}

/** More values than the largest JSON that is taken can hold. */
const MAX_VALUES = 65_536;
/** References within references; more would be deeper than any JSON that is taken. */
const MAX_NESTED = 32;

/**
 * `targeting` with the evaluators that it refers to in their places, and those that they refer to in turn.
 * Undefined when that would be larger than any definition may be.
 */
export function resolveReferences(targeting: Json, evaluators: Readonly<Record<string, Json>>): Resolved | undefined {
  const dangling = new Set<string>();
  let values = 0;
  let tooLarge = false;
  const resolve = (value: Json, within: readonly string[]): Json => {
    values += 1;
    if (values > MAX_VALUES || within.length > MAX_NESTED) {
      tooLarge = true;
      return value;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => resolve(item, within));
    const name = referenceOf(value);
    if (name === undefined) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, within)]));
    }
    const evaluator = Object.hasOwn(evaluators, name) && !within.includes(name) ? evaluators[name] : undefined;
    if (evaluator !== undefined) return resolve(evaluator, [...within, name]);
    dangling.add(name);
    return value;
  };
  const resolved = resolve(targeting, []);
  return tooLarge ? undefined : { targeting: resolved, dangling: [...dangling] };
}

function referenceOf(value: Json): string | undefined {
  if (!isObject(value) || Object.keys(value).length !== 1) return undefined;
  return typeof value.$ref === 'string' ? value.$ref : undefined;
}
