// Which targeting rules a flag may have: the operators of flagd and their arguments, as its published targeting schema
// (v0) says. Stricter than that in one thing: a rule has exactly one operator, because the order in which JSON lists
// several is nobody's to rely on.

export interface Fault {
  /** The way to it within what was looked at, such as `targeting`, `if`, `0`. */
  readonly path: readonly string[];
  /** A sentence. */
  readonly reason: string;
  /** arguments: flagd takes the rule all the same, and mostly finds nothing by it. form: flagd takes no such thing. */
  readonly kind: 'form' | 'arguments';
}

type Path = readonly string[];
type Faults = Generator<Fault, void, undefined>;
type Check = (args: unknown, path: Path) => Faults;

/** What is wrong with `targeting`, in the order of the document; nothing for a rule that flagd's schema takes. */
export function* targetingFaults(targeting: unknown, path: Path): Faults {
  if (!isObject(targeting)) yield form(path, 'Targeting is an object with one operator, or an empty one.');
  else if (Object.keys(targeting).length > 0) yield* ruleFaults(targeting, path);
}

/** Whether `value` is an object in JSON's sense. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function* ruleFaults(rule: Readonly<Record<string, unknown>>, path: Path): Faults {
  const [operator, ...others] = Object.keys(rule);
  if (operator === undefined) return yield form(path, 'A rule has an operator; write one, or null.');
  if (others.length > 0) return yield form(path, 'A rule has one operator only; nest the others.');
  const check = OPERATORS.get(operator);
  if (!check)
    return yield form([...path, operator], `${JSON.stringify(operator.slice(0, 40))} is no operator of flagd.`);
  yield* check(rule[operator], [...path, operator]);
}

/** A literal, a rule, or a reference to an evaluator. What an array holds is not looked into. */
function* argFaults(arg: unknown, path: Path): Faults {
  if (!isObject(arg)) return;
  if (!('$ref' in arg)) yield* ruleFaults(arg, path);
  else if (Object.keys(arg).length > 1) yield form(path, 'A reference has "$ref" only.');
  else if (typeof arg.$ref !== 'string') yield form([...path, '$ref'], '"$ref" is the name of an evaluator.');
}

/** An array of `min` to `max` arguments. */
const args = (min: number, max: number, each: Check = argFaults): Check =>
  function* (list, path) {
    if (!Array.isArray(list) || list.length < min || list.length > max) {
      return yield badArguments(path, `It takes an array of ${countOf(min, max)}.`);
    }
    for (const [at, arg] of list.entries()) yield* each(arg, [...path, String(at)]);
  };

/** Arguments each of their own kind, exactly as many as there are kinds. */
const tuple = (...kinds: readonly Check[]): Check =>
  args(kinds.length, kinds.length, (arg, path) => kinds[Number(path.at(-1))]?.(arg, path) ?? none());

const oneOf = (test: (value: unknown) => boolean, wanted: string): Check =>
  function* (value, path) {
    if (!test(value)) yield badArguments(path, `Here stands ${wanted}.`);
  };

const literalOrRule = (test: (value: unknown) => boolean, wanted: string): Check =>
  function* (value, path) {
    if (isObject(value) && !('$ref' in value)) yield* ruleFaults(value, path);
    else if (!test(value)) yield badArguments(path, `Here stands ${wanted}, or a rule.`);
  };

const isString = (value: unknown): value is string => typeof value === 'string';
const isWeight = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;

function* none(): Faults {}

function* unary(arg: unknown, path: Path): Faults {
  if (!Array.isArray(arg)) yield* argFaults(arg, path);
}

const FLAGD_PROPERTIES = new Set(['$flagd.timestamp', '$flagd.flagKey']);

function* variable(name: unknown, path: Path): Faults {
  if (isString(name) && name.startsWith('$flagd.') && !FLAGD_PROPERTIES.has(name)) {
    yield badArguments(path, `flagd knows ${[...FLAGD_PROPERTIES].join(' and ')} only.`);
  }
}

const bucket: Check = function* (entry, path) {
  if (!Array.isArray(entry) || entry.length < 1 || entry.length > 2) {
    return yield badArguments(path, 'A bucket is an array of a variant and, if it has one, its weight.');
  }
  yield* argFaults(entry[0], [...path, '0']);
  if (entry.length > 1) yield* weight(entry[1], [...path, '1']);
};

const weight = literalOrRule(isWeight, 'a weight, an integer from 0');

/** What to bucket by, which may be left out, and the buckets. */
const fractional: Check = function* (list, path) {
  if (!Array.isArray(list) || list.length < 1) return yield badArguments(path, 'It takes an array of buckets.');
  for (const [at, entry] of list.entries()) {
    const here = [...path, String(at)];
    if (at > 0 || Array.isArray(entry)) yield* bucket(entry, here);
    else if (isObject(entry)) yield* ruleFaults(entry, here);
    else yield badArguments(here, 'What to bucket by is a rule, such as {"var": "email"}; else leave it out.');
  }
};

const SEMANTIC_VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;
const COMPARISONS: readonly unknown[] = ['=', '!=', '>', '<', '>=', '<=', '~', '^'];

const version = oneOf(
  (value) => (isString(value) ? SEMANTIC_VERSION.test(value) : isObject(value) && Object.keys(value).join() === 'var'),
  'a semantic version such as 2.0.0, or a var',
);
const comparison = oneOf((value) => COMPARISONS.includes(value), `one of ${COMPARISONS.join(' ')}`);
const text = literalOrRule(isString, 'a string');
const strings: Check = args(0, Number.POSITIVE_INFINITY, oneOf(isString, 'a string'));
const number = oneOf((value) => typeof value === 'number', 'a number');

const ANY_NUMBER = Number.POSITIVE_INFINITY;

const OPERATORS: ReadonlyMap<string, Check> = new Map([
  ['var', variable],
  ['missing', strings],
  ['missing_some', tuple(number, strings)],
  ...named(args(2, 2), '==', '===', '!=', '!==', '>', '>=', '%', '/', 'map', 'filter', 'all', 'none', 'some', 'in'),
  ...named(args(2, 3), 'substr', '<', '<='),
  ...named(args(2, ANY_NUMBER), '*'),
  ...named(args(3, 3), 'reduce'),
  ...named(args(1, ANY_NUMBER), 'if', 'or', 'and', '+', '-', 'max', 'min', 'merge', 'cat'),
  ...named(unary, '!', '!!'),
  ...named(args(2, 2, text), 'starts_with', 'ends_with'),
  ['sem_ver', tuple(version, comparison, version)],
  ['fractional', fractional],
]);

function named(check: Check, ...operators: readonly string[]): readonly (readonly [string, Check])[] {
  return operators.map((operator) => [operator, check]);
}

function countOf(min: number, max: number): string {
  const most = max === ANY_NUMBER ? ' or more' : max > min ? ` to ${max}` : '';
  return `${min}${most} argument${min === 1 && most === '' ? '' : 's'}`;
}

const form = (path: Path, reason: string): Fault => ({ path, reason, kind: 'form' });
const badArguments = (path: Path, reason: string): Fault => ({ path, reason, kind: 'arguments' });
