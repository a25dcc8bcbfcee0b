// Reads flags out of flagd's and Unleash's documents: each flag stands by itself afterwards, its references replaced by
// the shared rules that they name. Nothing is guessed at: what cannot be taken is refused by its place in the document.

import { Invalid } from '../errors.js';
import { definitionFaults, evaluatorFaults, setMetadataFaults } from '../flag-definition.js';
import { isEvaluable, requireDescription, requireFlagKey } from '../flag-input.js';
import { resolveReferences } from '../flag-reference.js';
import { type Fault, isObject } from '../flag-targeting.js';
import { type Json, type JsonObject, jsonFault } from '../json-limits.js';
import { type Progress, readLines } from './lines.js';
import { isUnleash, readUnleash, unleashFault } from './unleash-document.js';
import { flagsOf } from './unleash-feature.js';
import { Inexpressible } from './unleash-rule.js';

export interface FlagFromFile {
  readonly key: string;
  readonly enabled: boolean;
  /** From its metadata, undefined where they have none. */
  readonly description: string | undefined;
  readonly definition: JsonObject;
}

export type FlagRecord =
  | { readonly kind: 'flag'; readonly flag: FlagFromFile; readonly notes: readonly string[] }
  /** One flag that cannot be taken. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** About what several flags share; the flags themselves come as records of their own. */
  | { readonly kind: 'note'; readonly reason: string }
  /** The document as a whole cannot be taken: no other record comes. `flags` is how many it would have been, if that can be told. */
  | { readonly kind: 'broken'; readonly line: number; readonly reason: string; readonly flags: number };

/** 64 MiB of text are about 100,000 flags. */
const MAX_CHARACTERS = 64 * 1_024 * 1_024;

/** How a file of flags may be written. */
export type FlagFormat = 'flagd' | 'unleash';

export interface FlagFileOptions {
  /** Left out, the document itself tells. */
  readonly format?: FlagFormat | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The flags of a flagd document, given as an object by key or as an array, in the document's order, or those that the
 * features of an Unleash document become; gzip is read too.
 * Arguments that flagd's schema does not have but flagd evaluates (to null, mostly) are taken with a note, as flagd
 * does; so is a reference to an evaluator that the document lacks, which evaluates to PARSE_ERROR.
 */
export async function* readFlagFile(
  file: string,
  { format, onProgress }: FlagFileOptions = {},
): AsyncGenerator<FlagRecord> {
  const lines: string[] = [];
  let characters = 0;
  for await (const line of readLines(file, { maxLineBytes: MAX_CHARACTERS, ...(onProgress && { onProgress }) })) {
    if (line.kind === 'refused') {
      yield { kind: 'broken', line: line.line, reason: line.reason, flags: 0 };
      return;
    }
    characters += line.text.length + 1;
    if (characters > MAX_CHARACTERS) {
      yield { kind: 'broken', line: 0, reason: 'The file has more than 64 MiB; split it.', flags: 0 };
      return;
    }
    lines.push(line.text);
  }
  yield* flagRecords(lines.join('\n'), format);
}

/** The flags of a document given as text, as `readFlagFile` gives them. */
export function* flagRecords(text: string, format?: FlagFormat): Generator<FlagRecord> {
  const parsed = parsedJson(text);
  if ('reason' in parsed) return yield { kind: 'broken', ...parsed, flags: 0 };
  const { json } = parsed;
  if (!isJsonObject(json)) return yield broken(`${NO_FLAGS}.`);
  if (format === 'unleash' || (format === undefined && isUnleash(json))) return yield* unleashRecords(json);
  if (format === undefined && json.flags === undefined) return yield broken(`${NO_FLAGS}.`);
  const flags = flagsIn(json.flags);
  if (!flags) return yield broken('/flags is neither an object of flags by key nor an array of flags with keys.');
  const { metadata = {}, $evaluators = {} } = json;
  const [wrong] = setMetadataFaults(metadata);
  if (wrong) return yield broken(told(wrong), flags.length);
  const evaluators = jsonFault($evaluators) === undefined && isJsonObject($evaluators) ? $evaluators : {};
  for (const fault of evaluatorFaults(evaluators)) yield { kind: 'note', reason: told(fault) };
  if (evaluators !== $evaluators) {
    yield { kind: 'note', reason: '/$evaluators: This is no object of rules that could be taken, and is left out.' };
  }
  const seen = new Set<Json>();
  for (const { key, path, flag } of flags) {
    if (key !== undefined && seen.has(key))
      yield { kind: 'refused', reason: `${path}: The key stands above already; keys are unique.` };
    else yield recordOf(key, path, flag, evaluators, isJsonObject(metadata) ? metadata : {});
    if (key !== undefined) seen.add(key);
  }
}

const NO_FLAGS = 'A flagd document is an object with flags, and one of Unleash an object with features';

/** A feature that flagd cannot say is refused whole, by its name. */
function* unleashRecords(json: JsonObject): Generator<FlagRecord> {
  const fault = unleashFault(json);
  if (fault !== undefined) return yield broken(fault);
  if (!isUnleash(json)) return yield broken('An Unleash document is an object with features.');
  const { features, segments, notes } = readUnleash(json);
  for (const reason of notes) yield { kind: 'note', reason };
  const byName = new Map(
    features.flatMap((read) => (read.kind === 'feature' ? [[read.feature.name, read.feature] as const] : [])),
  );
  const seen = new Set<string>();
  for (const read of features) {
    const { path } = read;
    if (read.kind === 'wrong') {
      yield { kind: 'refused', reason: `${path}: ${read.reason}.` };
      continue;
    }
    try {
      for (const { key, flag, notes: more } of flagsOf(read.feature, { features: byName, segments })) {
        if (seen.has(key))
          yield { kind: 'refused', reason: `${path}: The name stands above already; names are unique.` };
        else yield withNotes(recordOf(key, path, flag, {}, {}, read.feature.description), `${path} as ${key}`, more);
        seen.add(key);
      }
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      yield { kind: 'refused', reason: `${path}: flagd cannot say ${error.message}.` };
    }
  }
}

const withNotes = (record: FlagRecord, path: string, notes: readonly string[]): FlagRecord =>
  record.kind === 'flag' ? { ...record, notes: [...record.notes, ...notes.map((note) => `${path}: ${note}`)] } : record;

interface Placed {
  readonly key: Json | undefined;
  /** JSON pointer. */
  readonly path: string;
  readonly flag: Json;
}

function flagsIn(flags: Json | undefined): readonly Placed[] | undefined {
  if (Array.isArray(flags)) {
    return flags.map((item, at) => {
      const { key, ...flag } = isJsonObject(item) ? item : {};
      return { key, path: `/flags/${at}`, flag: isJsonObject(item) ? flag : item };
    });
  }
  if (!isJsonObject(flags)) return undefined;
  return Object.entries(flags).map(([key, flag]) => ({ key, path: pointer(['flags', key]), flag }));
}

function recordOf(
  key: Json | undefined,
  path: string,
  flag: Json,
  evaluators: JsonObject,
  setMetadata: JsonObject,
  about?: string | null,
): FlagRecord {
  const refused = (reason: string): FlagRecord => ({ kind: 'refused', reason });
  if (typeof key !== 'string') return refused(`${path}/key: A flag in an array has a key, a string.`);
  let description: string | undefined;
  try {
    requireFlagKey(key, []);
    const given = about ?? (isJsonObject(flag) && isJsonObject(flag.metadata) ? flag.metadata.description : undefined);
    description = requireDescription(typeof given === 'string' ? given : null, []) ?? undefined;
  } catch (error) {
    if (error instanceof Invalid) return refused(`${path}: ${error.message}`);
    throw error;
  }
  const tooMuch = jsonFault(flag);
  if (tooMuch !== undefined) return refused(`${path}: The flag ${tooMuch}.`);
  const faults = [...definitionFaults(flag, [])];
  const [first] = faults.filter(({ kind }) => kind === 'form');
  if (first || !isJsonObject(flag)) return refused(`${path}${first ? told(first) : ''}`);
  const resolved = resolveReferences(flag.targeting ?? null, evaluators);
  if (!resolved) return refused(`${path}/targeting: With its evaluators written out, the rule is too large.`);
  const { targeting, dangling } = resolved;
  const metadata = { ...setMetadata, ...(isJsonObject(flag.metadata) ? flag.metadata : {}) };
  const definition = {
    ...flag,
    ...(flag.targeting !== undefined && { targeting }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  const tooMuchNow = jsonFault(definition);
  if (tooMuchNow !== undefined) return refused(`${path}: With its evaluators written out, the flag ${tooMuchNow}.`);
  if (dangling.length === 0 && !isEvaluable(definition)) {
    return refused(`${path}/targeting: flagd cannot evaluate this rule; it has something that is no operator.`);
  }
  const missing = dangling.map(
    (name) =>
      `${path}/targeting: The file has no evaluator ${JSON.stringify(name)}; until it is written out, evaluations answer PARSE_ERROR.`,
  );
  return {
    kind: 'flag',
    flag: { key, enabled: flag.state === 'ENABLED', description, definition },
    notes: [...faults.map((fault) => `${path}${told(fault)} It was taken as flagd takes it.`), ...missing],
  };
}

type Parsed = { readonly json: Json } | { readonly line: number; readonly reason: string };

function parsedJson(text: string): Parsed {
  try {
    return { json: JSON.parse(text) as Json };
  } catch (error) {
    const [, position] = /position (\d+)/.exec(error instanceof Error ? error.message : '') ?? [];
    const line = position === undefined ? 0 : text.slice(0, Number(position)).split('\n').length;
    return { line, reason: 'The file is no JSON: the fault is here or just before. Nothing of it was imported.' };
  }
}

const broken = (reason: string, flags = 0): FlagRecord => ({ kind: 'broken', line: 0, reason, flags });

const isJsonObject = (value: Json | undefined): value is JsonObject => isObject(value);

const told = ({ path, reason }: Fault): string => `${pointer(path)}: ${reason}`;

/** RFC 6901. */
const pointer = (path: readonly string[]): string =>
  path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
