// A flag as the cache holds it: one field of its environment's hash, which says all that reading and evaluating need.
import { isObject } from './flag-targeting.js';
import type { Json } from './json-limits.js';

export interface FlagDocument {
  readonly environment: string;
  readonly key: string;
  /** Wins over the state in the definition. */
  readonly enabled: boolean;
  readonly description: string | null;
  readonly definition: Json;
  readonly variants: Json;
  readonly defaultVariant: string | null;
  readonly version: bigint;
  /** Since when this version stands. */
  readonly asOf: Date;
  /** When the flag last became other than it was. */
  readonly updatedAt: Date;
}

/** The text that was stored, and what it says: an evaluation rarely needs to look. */
export interface FlagField {
  readonly json: string;
  readonly stored: () => StoredFlag;
}

/** Moments are Unix milliseconds, the version decimal. */
export interface StoredFlag {
  readonly key: string;
  /** Whether anybody may evaluate it: its environment's, kept with each flag so that one field tells. */
  readonly public: boolean;
  readonly enabled: boolean;
  readonly description: string | null;
  readonly definition: Json;
  readonly version: string;
  readonly asOf: number;
  readonly updatedAt: number;
}

/** Decodes a field when it is first looked into. */
export function flagField(json: string): FlagField {
  let stored: StoredFlag | undefined;
  return {
    json,
    stored: () => {
      stored ??= JSON.parse(json) as StoredFlag;
      return stored;
    },
  };
}

export function flagDocument(environment: string, { stored }: FlagField): FlagDocument {
  const { key, enabled, description, definition, version, asOf, updatedAt } = stored();
  // What a careless hand put into the table need not be a definition.
  const { variants = {}, defaultVariant = null } = isObject(definition) ? definition : {};
  return {
    environment,
    key,
    enabled,
    description,
    definition,
    variants,
    defaultVariant: typeof defaultVariant === 'string' ? defaultVariant : null,
    version: BigInt(version),
    asOf: new Date(asOf),
    updatedAt: new Date(updatedAt),
  };
}
