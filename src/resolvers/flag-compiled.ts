// Flags made ready for evaluation by flagd's own rules, each version once. What is kept is found by the flag's place,
// and believed only if it was made from the very text that the cache answers now: no restored backup can confuse it.
import { FeatureFlag, FlagdCore, type Storage } from '@openfeature/flagd-core';
import { LRUCache } from 'lru-cache';
import type { FlagField, StoredFlag } from './flag-document.js';
import { isObject } from './flag-targeting.js';
import { isTimeless } from './flag-time.js';
import type { Json, JsonObject } from './json-limits.js';

export type Reason = 'STATIC' | 'DEFAULT' | 'TARGETING_MATCH' | 'DISABLED' | 'ERROR';

/** What a flag is for one context, in flagd's words. */
export interface Verdict {
  readonly value: Json;
  readonly variant: string | null;
  readonly reason: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** The flag's own, for whoever evaluates. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

export interface CompiledFlag {
  readonly public: boolean;
  readonly version: bigint;
  /** Whether its verdict on a context is the same at all times. */
  readonly timeless: boolean;
  /**
   * Never throws. `fallback` is the value of a disabled flag, of an error, and of no variant; unless it is null, a flag
   * of another type than it is a TYPE_MISMATCH.
   */
  readonly evaluate: (context: JsonObject, fallback: Json) => Verdict;
}

const MAX_FLAGS = 10_000;
const MAX_CHARACTERS = 32 * 1_024 * 1_024;

const compiled = new LRUCache<string, { readonly json: string; readonly flag: CompiledFlag }>({
  max: MAX_FLAGS,
  maxSize: MAX_CHARACTERS,
  sizeCalculation: ({ json }) => json.length,
});

/** The flag that `field` of `environment` says, ready to be evaluated. */
export function compiledFlag(environment: string, key: string, field: FlagField): CompiledFlag {
  const place = `${environment}/${key}`;
  const kept = compiled.get(place);
  if (kept?.json === field.json) return kept.flag;
  const flag = compileFlag(field.stored());
  compiled.set(place, { json: field.json, flag });
  return flag;
}

/** The same without keeping it. */
export function compileFlag(stored: Omit<StoredFlag, 'asOf' | 'updatedAt' | 'description'>): CompiledFlag {
  const { key, enabled, definition } = stored;
  const timeless = isTimeless(isObject(definition) ? definition.targeting : undefined);
  const facts = { public: stored.public, version: BigInt(stored.version), timeless };
  const core = coreOf(key, enabled, definition);
  const variant = core?.getFlag(key)?.variants.values().next().value;
  if (!core || variant === undefined) {
    return {
      ...facts,
      evaluate: (_, fallback) => errorVerdict(fallback, 'PARSE_ERROR', 'flagd cannot read the definition.'),
    };
  }
  return {
    ...facts,
    evaluate: (context, fallback) => {
      try {
        return verdictOf(core.resolve(typeOf(fallback ?? variant), key, fallback, contextOf(context)));
      } catch {
        return errorVerdict(fallback, 'GENERAL', 'The targeting gave something that cannot name a variant.');
      }
    },
  };
}

export const errorVerdict = (fallback: Json, errorCode: string, errorMessage: string): Verdict => ({
  value: fallback,
  variant: null,
  reason: 'ERROR',
  errorCode,
  errorMessage,
  metadata: {},
});

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Undefined when flagd cannot read the definition at all. Rules are interpreted: whoever writes a flag writes no code. */
function coreOf(key: string, enabled: boolean, definition: Json): FlagdCore | undefined {
  if (!isObject(definition)) return undefined;
  try {
    const state = enabled ? 'ENABLED' : 'DISABLED';
    const flag = new FeatureFlag(key, flagOf({ ...definition, state }), quiet, { disableDynamicCodeGeneration: true });
    return new FlagdCore(storageOf(flag), quiet);
  } catch {
    return undefined;
  }
}

/** A storage of one flag. flagd's own parses a whole document again and checks it, at more than twice the time. */
function storageOf(flag: FeatureFlag): Storage {
  return {
    getFlag: (key) => (key === flag.key ? flag : undefined),
    getFlags: () => new Map([[flag.key, flag]]),
    getFlagSetMetadata: () => ({}),
    setConfigurations: () => [],
  };
}

type FlagdFlag = ConstructorParameters<typeof FeatureFlag>[1];

/** flagd's constructor refuses what is none. */
const flagOf = (definition: object): FlagdFlag => definition as FlagdFlag;

type Resolution = ReturnType<typeof FlagdCore.prototype.resolve<Json>>;

function verdictOf({ value, variant, reason, errorCode, errorMessage, flagMetadata }: Resolution): Verdict {
  return {
    value,
    variant: variant ?? null,
    reason: reason ?? 'UNKNOWN',
    errorCode: errorCode ?? null,
    errorMessage: errorMessage ?? null,
    metadata: flagMetadata,
  };
}

function typeOf(value: unknown): 'boolean' | 'string' | 'number' | 'object' {
  const type = typeof value;
  return type === 'boolean' || type === 'string' || type === 'number' ? type : 'object';
}

/** A context is passed on as it came. */
function contextOf(context: JsonObject): Parameters<typeof FlagdCore.prototype.resolve>[3] {
  return context as Parameters<typeof FlagdCore.prototype.resolve>[3];
}
