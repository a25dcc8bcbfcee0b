// Rules of flagd that say what conditions of Unleash say: combined without what is always or never so, and a look at the
// context where an application of either may have put a value.
import type { Json } from '../json-limits.js';

/** A rule, or the truth itself. */
export type Rule = Json;

/** What flagd cannot say. The sentence names it. */
export class Inexpressible extends Error {
  override readonly name = 'Inexpressible';
}

export function allOf(rules: readonly Rule[]): Rule {
  if (rules.includes(false)) return false;
  const open = rules.filter((rule) => rule !== true);
  return open.length > 1 ? { and: open } : (open[0] ?? true);
}

export function anyOf(rules: readonly Rule[]): Rule {
  if (rules.includes(true)) return true;
  const open = rules.filter((rule) => rule !== false);
  return open.length > 1 ? { or: open } : (open[0] ?? false);
}

export const not = (rule: Rule): Rule => (typeof rule === 'boolean' ? !rule : { '!': rule });

/** The first of `cases` that holds, else `otherwise`. */
export function choice(cases: readonly { readonly when: Rule; readonly gives: Rule }[], otherwise: Rule): Rule {
  const open = cases.filter(({ when }) => when !== false);
  const sure = open.findIndex(({ when }) => when === true);
  const before = sure < 0 ? open : open.slice(0, sure);
  const last = sure < 0 ? otherwise : (open[sure]?.gives ?? otherwise);
  return before.length === 0 ? last : { if: [...before.flatMap(({ when, gives }) => [when, gives]), last] };
}

/**
 * Where a context may have the field `name`: at its top, as OpenFeature has it, or among the `properties`, as Unleash
 * has it. A user's id may also be the key that OpenFeature targets by.
 * @throws {Inexpressible} for a name that would mean something else in a path.
 */
export function pathsOf(name: string): readonly string[] {
  if (!/^[\p{L}\p{N} _.:@-]+$/u.test(name)) {
    throw new Inexpressible(`the context field ${JSON.stringify(name.slice(0, 40))}, which no rule of flagd can name`);
  }
  const step = name.replaceAll('.', '\\.');
  return [step, `properties.${step}`, ...(name === 'userId' ? ['targetingKey'] : [])];
}

/** The value of a context's field; falsy where there is none. */
export const fieldOf = (name: string): Rule => ({ or: pathsOf(name).map((path) => ({ var: path })) });

export const isGiven = (value: Rule): Rule => ({ '!!': value });

/** A value as text, whatever it is. */
export const textOf = (value: Rule): Rule => ({ cat: [value, ''] });
