// Unleash's files as they come: what /api/client/features answers, the events of its delta API, and test specifications,
// which hold either as their state. Features are checked one by one, so that one that is broken leaves the others be.
import { z } from 'zod';
import { isObject } from '../flag-targeting.js';
import type { Json, JsonObject } from '../json-limits.js';

const text = z.union([z.string(), z.number().transform(String)]);
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const constraint = z.object({
  contextName: z.string().min(1),
  operator: z.string(),
  values: list(text),
  value: text.nullish().transform((value) => value ?? undefined),
  inverted: z
    .boolean()
    .nullish()
    .transform((is) => is ?? false),
  caseInsensitive: z
    .boolean()
    .nullish()
    .transform((is) => is ?? false),
});
export type UnleashConstraint = z.output<typeof constraint>;

const variant = z.object({
  name: z.string().min(1),
  weight: z.number().int().min(0),
  payload: z.object({ type: z.string(), value: z.string() }).nullish(),
  stickiness: z.string().nullish(),
  overrides: list(z.object({ contextName: z.string().min(1), values: list(text) })),
});
export type UnleashVariant = z.output<typeof variant>;

const strategy = z.object({
  name: z.string(),
  disabled: z.boolean().nullish(),
  parameters: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((given) => given ?? {}),
  constraints: list(constraint),
  segments: list(z.number().int()),
  variants: list(variant),
});
export type UnleashStrategy = z.output<typeof strategy>;

const dependency = z.object({
  feature: z.string(),
  enabled: z
    .boolean()
    .nullish()
    .transform((is) => is ?? true),
  variants: list(z.string()),
});

const feature = z.object({
  name: z.string().min(1),
  enabled: z.boolean(),
  description: z.string().nullish(),
  strategies: list(strategy),
  variants: list(variant),
  dependencies: list(dependency),
});
export type UnleashFeature = z.output<typeof feature>;

const segment = z.object({ id: z.number().int(), constraints: list(constraint) });

/** Whether the feature can be taken, and if not, why, with its place. */
export type ReadFeature =
  | { readonly kind: 'feature'; readonly path: string; readonly feature: UnleashFeature }
  | { readonly kind: 'wrong'; readonly path: string; readonly reason: string };

export interface UnleashDocument {
  readonly features: readonly ReadFeature[];
  readonly segments: ReadonlyMap<number, readonly UnleashConstraint[]>;
  /** About segments that cannot be taken. */
  readonly notes: readonly string[];
}

/** Whether a JSON document is one of Unleash's: nothing of flagd's has features or events. */
export function isUnleash(json: JsonObject): boolean {
  const state = stateOf(json);
  return json.flags === undefined && (Array.isArray(state.features) || Array.isArray(state.events));
}

/** Why a document of Unleash's kind cannot be read at all; undefined where it can. */
export function unleashFault(json: JsonObject): string | undefined {
  return Array.isArray(json.featureStrategies)
    ? 'This is an export of environments from Unleash; take what GET /api/client/features answers instead.'
    : undefined;
}

/** Reads the features and segments of a document, in its order; of a feature that events change, the last state. */
export function readUnleash(json: JsonObject): UnleashDocument {
  const state = stateOf(json);
  const features = new Map<string, ReadFeature>();
  const segments = new Map<number, readonly UnleashConstraint[]>();
  const notes: string[] = [];
  const addFeature = (given: Json, path: string) => {
    const { data, error } = feature.safeParse(given);
    const name = nameOf(given);
    const place = name === undefined ? path : `${path} ${JSON.stringify(name.slice(0, 200))}`;
    const read: ReadFeature = data
      ? { kind: 'feature', path: place, feature: data }
      : { kind: 'wrong', path: place, reason: toldFault(error) };
    // A name that stands twice is told by its place; the first one counts.
    features.set(name !== undefined && !features.has(name) ? name : path, read);
  };
  const addSegment = (given: Json, path: string) => {
    const { data, error } = segment.safeParse(given);
    if (data) segments.set(data.id, data.constraints);
    else notes.push(`${path}: ${toldFault(error)}. Strategies that name this segment never hold.`);
  };
  for (const [at, each] of itemsOf(state.segments)) addSegment(each, `/segments/${at}`);
  for (const [at, each] of itemsOf(state.features)) addFeature(each, `/features/${at}`);
  for (const [at, event] of itemsOf(state.events)) {
    if (!isJsonObject(event)) continue;
    const path = `/events/${at}`;
    for (const [n, each] of itemsOf(event.segments)) addSegment(each, `${path}/segments/${n}`);
    if (event.segment !== undefined) addSegment(event.segment, `${path}/segment`);
    for (const [n, each] of itemsOf(event.features)) addFeature(each, `${path}/features/${n}`);
    if (event.feature !== undefined) {
      features.delete(nameOf(event.feature) ?? '');
      addFeature(event.feature, `${path}/feature`);
    }
    if (event.type === 'feature-removed' && typeof event.featureName === 'string') features.delete(event.featureName);
    if (event.type === 'segment-removed' && typeof event.segmentId === 'number') segments.delete(event.segmentId);
  }
  return { features: [...features.values()], segments, notes };
}

const stateOf = (json: JsonObject): JsonObject => (isJsonObject(json.state) ? json.state : json);

const nameOf = (given: Json): string | undefined =>
  isJsonObject(given) && typeof given.name === 'string' ? given.name : undefined;

const itemsOf = (items: Json | undefined): readonly (readonly [number, Json])[] =>
  Array.isArray(items) ? [...items.entries()] : [];

const isJsonObject = (value: Json | undefined): value is JsonObject => isObject(value);

function toldFault(error: z.ZodError | undefined): string {
  const [first] = error?.issues ?? [];
  return first ? `/${first.path.map(String).join('/')} is wrong: ${first.message}` : 'It has another form';
}
