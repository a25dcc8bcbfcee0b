// JSON Schema 2020-12 as parameters may use it: keywords that say something about the document at hand, references
// within the schema, patterns of bounded length, and a time limit that holds whatever schema and document are.
import { isIP } from 'node:net';
import { runInNewContext } from 'node:vm';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { Invalid } from './errors.js';

/**
 * Both the schema's compilation and the check itself. Nothing else runs meanwhile, so it cannot be long; and the clock is
 * the wall's, so it must not be near the 30 ms that typical ones take: a busy machine would refuse good schemas.
 */
const TIME_LIMIT_MS = 1_000;
const MAX_PATTERN_LENGTH = 200;
const MAX_TOLD_FAULTS = 5;
const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * Checks `value` against `schema`.
 * @throws {Invalid} at `schema` when that is no schema, or not one that is taken here; at `parameter` when the value does
 * not satisfy it. The sentence says where and why, and never repeats the value.
 */
export function requireSatisfied(schema: unknown, value: unknown): void {
  const fault = schemaFault(schema, '#');
  if (fault !== undefined) throw badSchema(fault);
  const validate = compile(schema as object | boolean);
  if (bounded(() => validate(value), 'Checking the parameter')) return;
  const [first, ...rest] = validate.errors ?? [];
  const told = [first, ...rest.slice(0, MAX_TOLD_FAULTS - 1)].flatMap((each) => (each ? [sentenceOf(each)] : []));
  throw new Invalid(`The parameter does not satisfy its schema: ${told.join('; ')}.`, {
    path: ['parameter', ...segmentsOf(first?.instancePath ?? '')],
  });
}

/** What a keyword holds: a schema, schemas in a list or under names, one reference or pattern, or plain data. */
type Content = 'schema' | 'list' | 'map' | 'patterns' | 'reference' | 'pattern' | 'format' | 'draft' | 'data';

const KEYWORDS: ReadonlyMap<string, Content> = new Map([
  ...all('schema', 'not if then else items contains additionalProperties propertyNames'),
  ...all('schema', 'unevaluatedItems unevaluatedProperties'),
  ...all('list', 'allOf anyOf oneOf prefixItems'),
  ...all('map', 'properties dependentSchemas $defs'),
  ...all('patterns', 'patternProperties'),
  ...all('reference', '$ref'),
  ...all('pattern', 'pattern'),
  ...all('format', 'format'),
  ...all('draft', '$schema'),
  ...all('data', 'type enum const default examples title description deprecated readOnly writeOnly $comment'),
  ...all('data', 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength'),
  ...all('data', 'minItems maxItems uniqueItems minContains maxContains'),
  ...all('data', 'required dependentRequired minProperties maxProperties'),
]);

function all(content: Content, keywords: string): (readonly [string, Content])[] {
  return keywords.split(' ').map((keyword) => [keyword, content]);
}

/** The formats that are checked; any other is refused, since ignoring it would look like checking. */
const FORMATS = {
  date: (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && isDay(text),
  'date-time': (text: string) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.test(text) &&
    isDay(text.slice(0, 10)) &&
    !Number.isNaN(Date.parse(text)),
  email: (text: string) => text.length <= 254 && /^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$/.test(text),
  hostname: (text: string) =>
    text.length <= 253 && text.split('.').every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label)),
  ipv4: (text: string) => isIP(text) === 4,
  ipv6: (text: string) => isIP(text) === 6,
  uri: (text: string) => /^[a-z][a-z\d+.-]*:\S+$/i.test(text) && URL.canParse(text),
  uuid: (text: string) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text),
} as const;

const isDay = (date: string): boolean => {
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date);
};

/** The first thing in `schema` that is not taken here, as a sentence with its place; `at` is a JSON pointer. */
function schemaFault(schema: unknown, at: string): string | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return `${at} is no schema: a schema is an object, true or false`;
  }
  for (const [keyword, content] of Object.entries(schema)) {
    const fault = keywordFault(keyword, content, `${at}/${keyword}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function keywordFault(keyword: string, content: unknown, at: string): string | undefined {
  switch (KEYWORDS.get(keyword)) {
    case undefined:
      return `${at} is no keyword that is taken here`;
    case 'schema':
      return schemaFault(content, at);
    case 'list':
      if (!Array.isArray(content)) return `${at} must be a list of schemas`;
      return firstFault(content.entries(), (item, position) => schemaFault(item, `${at}/${position}`));
    case 'map':
      return mapFault(content, at);
    case 'patterns':
      return (
        mapFault(content, at) ??
        firstFault(Object.keys(content ?? {}).entries(), (pattern) => patternFault(pattern, at))
      );
    case 'reference':
      return typeof content === 'string' && content.startsWith('#')
        ? undefined
        : `${at} must lead to a place in this schema, such as "#/$defs/name": nothing is fetched`;
    case 'pattern':
      return patternFault(content, at);
    case 'format':
      return typeof content === 'string' && Object.hasOwn(FORMATS, content)
        ? undefined
        : `${at} is not checked here; the formats are ${Object.keys(FORMATS).join(', ')}, and "pattern" does for others`;
    case 'draft':
      return content === DRAFT ? undefined : `${at} must be "${DRAFT}", or left out`;
    case 'data':
      return undefined;
  }
}

function mapFault(content: unknown, at: string): string | undefined {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return `${at} must be an object of schemas`;
  }
  return firstFault(Object.entries(content), (schema, name) => schemaFault(schema, `${at}/${name}`));
}

function patternFault(pattern: unknown, at: string): string | undefined {
  if (typeof pattern !== 'string' || pattern.length > MAX_PATTERN_LENGTH) {
    return `${at} must have patterns of at most ${MAX_PATTERN_LENGTH} characters`;
  }
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch {
    return `${at} has a pattern that is no regular expression (ECMA-262, with the u flag)`;
  }
}

function firstFault<Key, Item>(
  entries: Iterable<readonly [Key, Item]>,
  faultOf: (item: Item, key: Key) => string | undefined,
): string | undefined {
  for (const [key, item] of entries) {
    const fault = faultOf(item, key);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A validator of its own for each check: one that was interrupted is in no state to be used again. */
function compile(schema: object | boolean): ValidateFunction {
  const ajv = new Ajv2020({
    strictSchema: true,
    allowMatchingProperties: true,
    strictTypes: false,
    strictTuples: false,
    logger: false,
    allErrors: false,
    formats: FORMATS,
  });
  try {
    return bounded(() => ajv.compile(schema), 'Reading the schema');
  } catch (error) {
    if (error instanceof Invalid) throw error;
    throw badSchema(
      error instanceof Error ? error.message.replace(/^schema is invalid: data/, 'it is invalid: #') : 'it is invalid',
    );
  }
}

/** What `act` gives, unless it takes too long or calls itself without end: regular expressions are interrupted too. */
function bounded<Result>(act: () => Result, what: string): Result {
  try {
    return runInNewContext('act()', { act }, { timeout: TIME_LIMIT_MS }) as Result;
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      throw badSchema(`${what} took longer than ${TIME_LIMIT_MS} ms; make its patterns and alternatives simpler`);
    }
    if (error instanceof RangeError) throw badSchema(`${what} came to no end; look for a "$ref" that leads to itself`);
    throw error;
  }
}

/** Where and what, without the value; a name that is missing or too many comes from the schema or is no value. */
function sentenceOf({ instancePath, message, params }: ErrorObject): string {
  const allowed = Array.isArray(params.allowedValues)
    ? ` (${params.allowedValues
        .slice(0, 20)
        .map((each) => JSON.stringify(each))
        .join(', ')})`
    : '';
  return `${instancePath === '' ? 'it' : instancePath} ${message ?? 'is not valid'}${allowed}`.slice(0, 500);
}

/** The way that a JSON pointer goes (RFC 6901). */
function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const badSchema = (fault: string) => new Invalid(`The schema is not taken: ${fault}.`, { path: ['schema'] });
