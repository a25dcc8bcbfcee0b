// A feature of Unleash as flags of flagd: a boolean one of the feature's name that says whether it is enabled and, where
// the feature has variants, `name:variant`, whose values are what Unleash's clients get as the variant.
import type { Json, JsonObject } from '../json-limits.js';
import type { Note } from './unleash-constraint.js';
import type { UnleashFeature, UnleashVariant } from './unleash-document.js';
import { allOf, anyOf, choice, Inexpressible, not, type Rule } from './unleash-rule.js';
import { type Segments, strategyRule, variantRule } from './unleash-strategy.js';

export interface UnleashContext {
  readonly features: ReadonlyMap<string, UnleashFeature>;
  readonly segments: Segments;
}

export interface ConvertedFlag {
  readonly key: string;
  readonly flag: JsonObject;
  readonly notes: readonly string[];
}

/**
 * The flags that a feature becomes.
 * @throws {Inexpressible} where flagd cannot say what the feature says.
 */
export function flagsOf(feature: UnleashFeature, context: UnleashContext): readonly ConvertedFlag[] {
  const isOn = noting((note) => {
    const enabled = allOf([dependenciesHold(feature, context, note), anyOf(casesOf(feature, context, note))]);
    const choices = choice([{ when: enabled, gives: 'on' }], 'off');
    return flagOf(feature, choices, 'off', { on: true, off: false });
  });
  const flags = [{ key: feature.name, ...isOn }];
  if (!hasVariants(feature)) return flags;
  const variant = noting((note) => variantFlag(feature, context, note));
  return [...flags, { key: `${feature.name}:variant`, ...variant }];
}

const hasVariants = ({ variants, strategies }: UnleashFeature): boolean =>
  variants.length > 0 || strategies.some((strategy) => strategy.variants.length > 0);

function noting(make: (note: Note) => JsonObject): { readonly flag: JsonObject; readonly notes: readonly string[] } {
  const notes = new Set<string>();
  const flag = make((sentence) => notes.add(sentence));
  return { flag, notes: [...notes] };
}

/** Whether each strategy holds, in order. A feature without strategies is enabled. */
function casesOf(feature: UnleashFeature, { segments }: UnleashContext, note: Note): readonly Rule[] {
  const { name, strategies } = feature;
  const active = strategies.filter(({ disabled }) => !disabled);
  if (strategies.length > 0 && active.length === 0) throw new Inexpressible('strategies that are all disabled');
  return active.length === 0 ? [true] : active.map((strategy) => strategyRule(strategy, name, segments, note));
}

/** Parents are looked at with the child's context; a parent that has parents of its own counts as disabled. */
function dependenciesHold({ dependencies }: UnleashFeature, context: UnleashContext, note: Note): Rule {
  return allOf(
    dependencies.map(({ feature, enabled, variants }) => {
      const parent = context.features.get(feature);
      if (!parent || parent.dependencies.length > 0) {
        note(
          `It depends on ${JSON.stringify(feature.slice(0, 100))}, which is missing or depends on others: it is never enabled.`,
        );
        return false;
      }
      const isOn = parent.enabled ? anyOf(casesOf(parent, context, note)) : false;
      if (!enabled) return not(isOn);
      if (variants.length === 0) return isOn;
      const chosen = parentVariant(parent, context, note);
      const isWanted = typeof chosen === 'string' ? variants.includes(chosen) : { in: [chosen, variants] };
      return allOf([isOn, isWanted]);
    }),
  );
}

const DISABLED = 'disabled';

const parentVariant = (parent: UnleashFeature, context: UnleashContext, note: Note): Rule =>
  choice(
    variantCases(parent, context, ({ name }) => name, note),
    DISABLED,
  );

/** The variant of the first strategy that holds: its own, else the feature's, else the one that says that there is none. */
function variantCases(
  feature: UnleashFeature,
  context: UnleashContext,
  keyOf: (variant: UnleashVariant) => string,
  note: Note,
): readonly { readonly when: Rule; readonly gives: Rule }[] {
  const active = feature.strategies.filter(({ disabled }) => !disabled);
  return casesOf(feature, context, note).map((when, at) => {
    const strategy = active[at];
    const own = strategy?.variants ?? [];
    const groupId = strategy?.parameters.groupId;
    const within = {
      group: typeof groupId === 'string' && groupId !== '' ? groupId : feature.name,
      stickiness: typeof strategy?.parameters.stickiness === 'string' ? strategy.parameters.stickiness : undefined,
    };
    const chosen =
      own.length > 0
        ? variantRule(own, within, keyOf, note)
        : variantRule(feature.variants, { group: feature.name, stickiness: undefined }, keyOf, note);
    return { when, gives: chosen ?? DISABLED };
  });
}

function variantFlag(feature: UnleashFeature, context: UnleashContext, note: Note): JsonObject {
  const values: Record<string, JsonObject> = {
    [DISABLED]: { name: DISABLED, enabled: false, feature_enabled: true },
    off: { name: DISABLED, enabled: false, feature_enabled: false },
  };
  const keys = new Map<string, string>();
  // Two strategies may have variants of one name and other payloads.
  const keyOf = ({ name, payload }: UnleashVariant): string => {
    const value = { name, ...(payload && { payload }), enabled: true, feature_enabled: true };
    const json = JSON.stringify(value);
    const known = keys.get(json);
    if (known !== undefined) return known;
    let key = name;
    for (let at = 2; Object.hasOwn(values, key); at += 1) key = `${name} ${at}`;
    keys.set(json, key);
    values[key] = value;
    return key;
  };
  const holds = dependenciesHold(feature, context, note);
  const cases = variantCases(feature, context, keyOf, note).map(({ when, gives }) => ({
    when: allOf([holds, when]),
    gives,
  }));
  return flagOf(feature, choice(cases, 'off'), 'off', values);
}

/** A rule that is a name alone is the default. */
function flagOf({ enabled }: UnleashFeature, rule: Rule, otherwise: string, variants: Json): JsonObject {
  return {
    state: enabled ? 'ENABLED' : 'DISABLED',
    variants,
    defaultVariant: typeof rule === 'string' ? rule : otherwise,
    ...(typeof rule !== 'string' && { targeting: rule }),
  };
}
