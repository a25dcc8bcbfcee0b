// What a flag and its environment may be. Every refusal names the place.
import { Invalid } from './errors.js';
import { compileFlag } from './flag-compiled.js';
import { definitionFaults } from './flag-definition.js';
import { resolveReferences } from './flag-reference.js';
import { isObject } from './flag-targeting.js';
import type { Maybe } from './input.js';
import { type Json, type JsonObject, jsonFault } from './json-limits.js';

type Path = readonly string[];

const ENVIRONMENT_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const MAX_FLAG_KEY = 200;
const MAX_DESCRIPTION = 2_000;

/** @throws {Invalid} unless `key` is 1 to 100 of A–Z, a–z, 0–9 and `. _ -`. */
export function requireEnvironmentKey(key: string, path: Path): string {
  if (ENVIRONMENT_KEY.test(key)) return key;
  throw new Invalid(`${quoted(key)} is no environment: use letters from A to Z, digits and . _ - (100 at most).`, {
    path,
  });
}

/** @throws {Invalid} unless `key` is 1 to 200 characters, none of them a control, with no blank at either end. */
export function requireFlagKey(key: string, path: Path): string {
  const taken = key !== '' && key.length <= MAX_FLAG_KEY && key === key.trim() && key !== '__proto__';
  if (taken && !/[\p{Cc}\p{Surrogate}]/u.test(key)) return key;
  throw new Invalid(
    `${quoted(key)} is no key of a flag: use 1 to ${MAX_FLAG_KEY} characters, no controls and no blanks around them.`,
    { path },
  );
}

/** @throws {Invalid} when it is too long or has control characters other than line breaks and tabs. */
export function requireDescription(description: Maybe<string>, path: Path): string | null {
  if (description === null || description === undefined) return null;
  const isFine = description.length <= MAX_DESCRIPTION && !/[\p{Surrogate}]|(?![\n\r\t])\p{Cc}/u.test(description);
  if (isFine) return description;
  throw new Invalid(`A description has at most ${MAX_DESCRIPTION} characters, and no controls but line breaks.`, {
    path,
  });
}

/**
 * A definition that flagd's schema takes and that flagd can evaluate by itself.
 * @throws {Invalid} at the first thing that is wrong with it.
 */
export function requireDefinition(definition: Json, path: Path): JsonObject {
  const fault = jsonFault(definition);
  if (fault !== undefined) throw new Invalid(`The definition ${fault}.`, { path });
  for (const { reason, path: at } of definitionFaults(definition, path)) throw new Invalid(reason, { path: at });
  if (!isDefinition(definition)) throw new Invalid('A definition is an object.', { path });
  const targeting = [...path, 'targeting'];
  const [missing] = resolveReferences(definition.targeting ?? null, {})?.dangling ?? [];
  if (missing !== undefined) {
    const sentence = `The rule refers to the evaluator ${quoted(missing)}, but a flag stands by itself: write the rule out.`;
    throw new Invalid(sentence, { path: targeting });
  }
  if (!isEvaluable(definition)) throw new Invalid('flagd cannot evaluate this targeting.', { path: targeting });
  return definition;
}

/** Whether flagd makes sense of the definition: of a rule inside an array too, which the schema does not look into. */
export function isEvaluable(definition: JsonObject): boolean {
  const flag = compileFlag({ key: 'flag', public: false, enabled: true, definition, version: '0' });
  return flag.evaluate({}, null).errorCode !== 'PARSE_ERROR';
}

const isDefinition = (definition: Json): definition is JsonObject => isObject(definition);

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));
