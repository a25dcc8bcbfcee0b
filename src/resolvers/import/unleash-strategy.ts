// Unleash's activation strategies and variants as rules of flagd.
import { isWithin } from './unleash-address.js';
import { constraintRule, type Note } from './unleash-constraint.js';
import type { UnleashConstraint, UnleashStrategy, UnleashVariant } from './unleash-document.js';
import { allOf, choice, fieldOf, Inexpressible, isGiven, type Rule, textOf } from './unleash-rule.js';

export type Segments = ReadonlyMap<number, readonly UnleashConstraint[]>;

/**
 * Whether a context satisfies the strategy of `feature`.
 * @throws {Inexpressible} where flagd has no rule for it.
 */
export function strategyRule(strategy: UnleashStrategy, feature: string, segments: Segments, note: Note): Rule {
  const named = strategy.segments.map((id) => {
    const found = segments.get(id);
    if (!found) note(`There is no segment ${id} in the file; the strategy ${strategy.name} never holds.`);
    return found;
  });
  if (named.includes(undefined)) return false;
  const constraints = [...strategy.constraints, ...named.flatMap((segment) => segment ?? [])];
  return allOf([...constraints.map((each) => constraintRule(each, note)), activation(strategy, feature, note)]);
}

function activation({ name, parameters }: UnleashStrategy, feature: string, note: Note): Rule {
  const parameter = (key: string) => String(parameters[key] ?? '');
  const items = (key: string) =>
    parameter(key)
      .split(',')
      .map((item) => item.trim());
  switch (name) {
    case 'default':
      return true;
    case 'userWithId':
      return { in: [fieldOf('userId'), items('userIds').filter((id) => id !== '')] };
    case 'remoteAddress':
      return isWithin(items('IPs'), fieldOf('remoteAddress'), note);
    case 'flexibleRollout':
      return rollout(parameter('rollout'), parameter('stickiness'), parameter('groupId') || feature, note);
    case 'gradualRolloutUserId':
      return rollout(parameter('percentage'), 'userId', parameter('groupId'), note);
    case 'gradualRolloutSessionId':
      return rollout(parameter('percentage'), 'sessionId', parameter('groupId'), note);
    case 'gradualRolloutRandom':
      return rollout(parameter('percentage'), 'random', '', note);
    default:
      throw new Inexpressible(
        `the strategy ${JSON.stringify(name.slice(0, 100))}, which goes by what only the application knows`,
      );
  }
}

/** What those in a rollout share; undefined where anybody may be in it. */
function stickyTo(stickiness: string): { readonly value: Rule; readonly required: boolean } | undefined {
  if (stickiness === 'random') return undefined;
  if (stickiness !== '' && stickiness !== 'default') return { value: fieldOf(stickiness), required: true };
  return { value: { or: [fieldOf('userId'), fieldOf('sessionId')] }, required: false };
}

function rollout(given: string, stickiness: string, group: string, note: Note): Rule {
  const percentage = Math.floor(Number(given));
  if (given.trim() === '' || !Number.isFinite(percentage)) {
    throw new Inexpressible(`a rollout to ${JSON.stringify(given.slice(0, 40))} percent`);
  }
  if (percentage <= 0) return false;
  const sticky = stickyTo(stickiness);
  if (percentage >= 100) return sticky?.required ? isGiven(sticky.value) : true;
  if (!sticky) throw new Inexpressible(`a rollout to ${percentage} percent at random; flagd answers alike each time`);
  note(
    `${percentage} percent stay ${percentage} percent, but of other users: flagd's fractions are not Unleash's. Without a value to go by nobody is among them.`,
  );
  const fractional = [{ cat: [group, ':', textOf(sticky.value)] }, ['in', percentage], ['out', 100 - percentage]];
  return allOf([isGiven(sticky.value), { '==': [{ fractional }, 'in'] }]);
}

/**
 * Which variant a context gets, by what `keyOf` calls it; undefined where there is none to get.
 * @throws {Inexpressible} where flagd has no rule for it.
 */
export function variantRule(
  variants: readonly UnleashVariant[],
  { group, stickiness }: { readonly group: string; readonly stickiness: string | undefined },
  keyOf: (variant: UnleashVariant) => string,
  note: Note,
): Rule | undefined {
  const weighed = variants.filter(({ weight }) => weight > 0);
  const [only] = weighed;
  if (!only) return undefined;
  const overridden = variants.flatMap((variant) =>
    variant.overrides.map(({ contextName, values }) => ({
      when: { in: [fieldOf(contextName), values] },
      gives: keyOf(variant),
    })),
  );
  if (weighed.length === 1) return choice(overridden, keyOf(only));
  note("Variants keep their shares, but other users get them: flagd's fractions are not Unleash's.");
  const sticky = stickyTo(variants[0]?.stickiness ?? stickiness ?? 'default');
  if (!sticky) throw new Inexpressible('variants at random; flagd answers alike each time');
  const buckets = weighed.map((variant) => [keyOf(variant), variant.weight]);
  return choice(overridden, { fractional: [{ cat: [group, ':', textOf(sticky.value)] }, ...buckets] });
}
