// Which definitions a flag may have: flagd's JSON form of a flag, by the rules of its published schema (v0). Every fault
// has its place and a sentence.
import { type Fault, isObject, targetingFaults } from './flag-targeting.js';

type Faults = Generator<Fault, void, undefined>;
type Path = readonly string[];

/**
 * What is wrong with a flag's definition. Beyond the schema, `defaultVariant` must be one of the variants: flagd takes
 * no other.
 */
export function* definitionFaults(definition: unknown, path: Path): Faults {
  if (!isObject(definition)) return yield fault(path, 'A flag is an object with state and variants.');
  const { state, variants, defaultVariant, targeting, metadata } = definition;
  if (state !== 'ENABLED' && state !== 'DISABLED') {
    yield fault([...path, 'state'], 'The state of a flag is "ENABLED" or "DISABLED".');
  }
  yield* variantFaults(variants, [...path, 'variants']);
  if (defaultVariant !== undefined && defaultVariant !== null) {
    if (typeof defaultVariant !== 'string') {
      yield fault([...path, 'defaultVariant'], 'defaultVariant is the name of a variant, or null.');
    } else if (isObject(variants) && defaultVariant !== '' && !Object.hasOwn(variants, defaultVariant)) {
      const name = JSON.stringify(defaultVariant.slice(0, 40));
      yield fault([...path, 'defaultVariant'], `There is no variant ${name}; name one of the variants, or null.`);
    }
  }
  if (targeting !== undefined) yield* targetingFaults(targeting, [...path, 'targeting']);
  if (metadata !== undefined) yield* metadataFaults(metadata, [...path, 'metadata']);
}

/** What is wrong with a whole flagd document as providers read it: flags by key, evaluators, metadata. */
export function* documentFaults(document: unknown): Faults {
  if (!isObject(document)) return yield fault([], 'A flagd document is an object with flags.');
  const { flags, $evaluators, metadata } = document;
  if (!isObject(flags)) yield fault(['flags'], 'flags is an object of flags by their keys.');
  else for (const [key, flag] of Object.entries(flags)) yield* definitionFaults(flag, ['flags', key]);
  if ($evaluators !== undefined) yield* evaluatorFaults($evaluators);
  if (metadata !== undefined) yield* setMetadataFaults(metadata);
}

/** What is wrong with the `$evaluators` of a document. */
export function* evaluatorFaults(evaluators: unknown): Faults {
  const path = ['$evaluators'];
  if (!isObject(evaluators)) return yield fault(path, '$evaluators is an object of rules by their names.');
  for (const [name, rule] of Object.entries(evaluators)) yield* targetingFaults(rule, [...path, name]);
}

/** What is wrong with the `metadata` of a document, which holds for each of its flags. */
export function* setMetadataFaults(metadata: unknown): Faults {
  yield* metadataFaults(metadata, ['metadata']);
  if (!isObject(metadata)) return;
  for (const name of ['flagSetId', 'version']) {
    if (metadata[name] !== undefined && typeof metadata[name] !== 'string') {
      yield fault(['metadata', name], `${name} of a set of flags is a string.`);
    }
  }
}

const VARIANT_TYPES = ['boolean', 'string', 'number', 'object'];

function* variantFaults(variants: unknown, path: Path): Faults {
  if (!isObject(variants) || Object.keys(variants).length === 0) {
    return yield fault(path, 'A flag has variants: an object of one value or more by their names.');
  }
  const [first] = Object.values(variants);
  for (const [name, value] of Object.entries(variants)) {
    const here = [...path, name];
    if (name === '') yield fault(here, 'A variant has a name of one character or more.');
    if (!VARIANT_TYPES.includes(typeOf(value))) {
      yield fault(here, 'A variant is a boolean, a string, a number or an object.');
    } else if (typeOf(value) !== typeOf(first)) {
      yield fault(here, `All variants of a flag have one type; the first is a ${typeOf(first)}.`);
    }
  }
}

function* metadataFaults(metadata: unknown, path: Path): Faults {
  if (!isObject(metadata)) return yield fault(path, 'metadata is an object.');
  for (const [name, value] of Object.entries(metadata)) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      yield fault([...path, name], 'A value of metadata is a string, a number or a boolean.');
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const fault = (path: Path, reason: string): Fault => ({ path, reason, kind: 'form' });
