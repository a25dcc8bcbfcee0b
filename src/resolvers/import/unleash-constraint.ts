// Unleash's constraints as rules of flagd. What has no counterpart is named and refused.

import { isWithin } from './unleash-address.js';
import type { UnleashConstraint } from './unleash-document.js';
import { patternRule } from './unleash-pattern.js';
import { allOf, anyOf, fieldOf, Inexpressible, isGiven, not, pathsOf, type Rule, textOf } from './unleash-rule.js';

/** Says something about what was taken. */
export type Note = (sentence: string) => void;

/**
 * Whether a context satisfies the constraint, as Unleash decides it.
 * @throws {Inexpressible} where flagd has no rule for it.
 */
export function constraintRule(constraint: UnleashConstraint, note: Note): Rule {
  const { operator, contextName, inverted } = constraint;
  const read = OPERATORS.get(operator);
  if (!read) {
    note(`The operator ${JSON.stringify(operator.slice(0, 40))} is none of Unleash's; its constraint never holds.`);
    return false;
  }
  const rule = read(constraint, fieldOf(contextName), note);
  return inverted ? not(rule) : rule;
}

type Operator = (constraint: UnleashConstraint, value: Rule, note: Note) => Rule;

/** Longer texts would be spelt out letter by letter beyond all measure. */
const MAX_SPELT = 64;

const isOneOf: Operator = ({ values }, value) => (values.length > 0 ? { in: [value, values] } : false);

const startsWith: Operator = ({ values, caseInsensitive }, value) =>
  anyOf(values.map((wanted) => (caseInsensitive ? spells(value, wanted, 0) : { starts_with: [value, wanted] })));

const endsWith: Operator = ({ values, caseInsensitive }, value) =>
  anyOf(
    values.map((wanted) => {
      if (!caseInsensitive) return { ends_with: [value, wanted] };
      return spells({ substr: [textOf(value), -wanted.length] }, wanted, 0);
    }),
  );

const contains: Operator = ({ values, caseInsensitive }, value) => {
  if (caseInsensitive) throw new Inexpressible('STR_CONTAINS without regard to case');
  return allOf([isGiven(value), anyOf(values.map((wanted) => ({ in: [wanted, textOf(value)] })))]);
};

/** Each letter in either case, one after the other: flagd has no rule that lowers a text. */
function spells(value: Rule, wanted: string, from: number): Rule {
  if (wanted.length > MAX_SPELT) throw new Inexpressible(`a text of more than ${MAX_SPELT} characters in either case`);
  const letters = [...wanted].map((letter) => [...new Set([letter.toLowerCase(), letter.toUpperCase()])]);
  if (letters.some((cases) => cases.some((each) => each.length !== 1))) {
    throw new Inexpressible('a text in either case whose letters change their number with it');
  }
  return allOf([
    isGiven(value),
    ...letters.map((cases, at) => ({ in: [{ substr: [textOf(value), from + at, 1] }, cases] })),
  ]);
}

/** What a number begins with. Other texts are no numbers, and comparing them would be an error. */
const NUMBER_BEGINS = [...'0123456789+-. '];

const number =
  (operator: string): Operator =>
  ({ value: wanted }, value, note) => {
    const bound = Number(wanted);
    if (wanted === undefined || wanted.trim() === '' || !Number.isFinite(bound)) {
      note(`${JSON.stringify((wanted ?? '').slice(0, 40))} is no number; its constraint never holds.`);
      return false;
    }
    const first = { substr: [textOf(value), 0, 1] };
    return allOf([isGiven(value), { in: [first, NUMBER_BEGINS] }, { [operator]: [value, bound] }]);
  };

const SEMANTIC_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** flagd's schema takes a version from one place only, so that each place has a rule of its own. */
const version =
  (operator: string): Operator =>
  ({ value: wanted = '', contextName }, _, note) => {
    if (!SEMANTIC_VERSION.test(wanted)) {
      note(`${JSON.stringify(wanted.slice(0, 40))} is no semantic version; its constraint never holds.`);
      return false;
    }
    const places = pathsOf(contextName).map((path) => ({ var: path }));
    return anyOf(
      places.map((place, at) => {
        const first = { substr: [textOf(place), 0, 1] };
        const compared = { sem_ver: [place, operator, wanted] };
        return allOf([
          ...places.slice(0, at).map((other) => not(isGiven(other))),
          not({ in: [first, ['v', 'V']] }),
          compared,
        ]);
      }),
    );
  };

/** The context's `currentTime` in UTC, or else the time of the evaluation, to the second. */
const date =
  (operator: '>' | '<'): Operator =>
  ({ value: wanted = '' }, _, note) => {
    const at = new Date(wanted);
    if (Number.isNaN(at.getTime())) {
      note(`${JSON.stringify(wanted.slice(0, 40))} is no time; its constraint never holds.`);
      return false;
    }
    note('A currentTime in the context is compared only where it is in UTC, such as 2026-01-31T12:00:00.000Z.');
    const given = fieldOf('currentTime');
    const compared = { [operator]: [{ substr: [textOf(given), 0, 23] }, at.toISOString().slice(0, 23)] };
    const now = { [operator]: [{ var: '$flagd.timestamp' }, Math.floor(at.getTime() / 1_000)] };
    return { if: [isGiven(given), allOf([{ ends_with: [given, 'Z'] }, compared]), now] };
  };

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['IN', isOneOf],
  ['NOT_IN', (constraint, value, note) => not(isOneOf(constraint, value, note))],
  ['STR_STARTS_WITH', startsWith],
  ['STR_ENDS_WITH', endsWith],
  ['STR_CONTAINS', contains],
  ['NUM_EQ', number('==')],
  ['NUM_GT', number('>')],
  ['NUM_GTE', number('>=')],
  ['NUM_LT', number('<')],
  ['NUM_LTE', number('<=')],
  ['DATE_AFTER', date('>')],
  ['DATE_BEFORE', date('<')],
  ['SEMVER_EQ', version('=')],
  ['SEMVER_GT', version('>')],
  ['SEMVER_GTE', version('>=')],
  ['SEMVER_LT', version('<')],
  ['SEMVER_LTE', version('<=')],
  ['IN_CIDR', ({ values }, value, note) => isWithin(values, value, note)],
  [
    'REGEX',
    ({ value: pattern = '', caseInsensitive }, value, note) => patternRule(pattern, caseInsensitive, value, note),
  ],
]);
