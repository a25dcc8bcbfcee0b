// Whether a targeting may ask for the time, which flagd gives to rules as a variable. In doubt it may: names that are made
// while the rule runs, references to rules elsewhere, and operators that are not listed here can be anything.
import { isObject } from './flag-targeting.js';

/** What these come to depends on their arguments alone. Others of the engine read variables too, though flagd names none. */
const PURE: ReadonlySet<string> = new Set(
  (
    'missing missing_some == === != !== > >= < <= ! !! % / * + - max min if or and in cat merge substr ' +
    'map filter all none some reduce starts_with ends_with sem_ver fractional'
  ).split(' '),
);

/** Whether `rule` comes to the same result for a context at all times. */
export function isTimeless(rule: unknown): boolean {
  if (Array.isArray(rule)) return rule.every(isTimeless);
  if (!isObject(rule)) return true;
  return Object.entries(rule).every(([operator, operand]) =>
    operator === 'var' ? namesNoTime(operand) : PURE.has(operator) && isTimeless(operand),
  );
}

/** The name of a variable, or a list of it and a default. Within a list it may lead out of it, and begin with anything. */
function namesNoTime(operand: unknown): boolean {
  const [name, ...defaults] = Array.isArray(operand) ? operand : [operand];
  return typeof name === 'string' && /^[^./$]/.test(name) && !/[/$\\]|\.\./.test(name) && isTimeless(defaults);
}
