// What JSON from outside may be before anything is done with it: small enough, flat enough, and free of what Postgres
// cannot hold or an object must not have.

/** A value that JSON can say. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const MAX_JSON_BYTES = 65_536;
export const MAX_JSON_LEVELS = 32;

/** Why `value` cannot be taken, as the end of a sentence; undefined when it can. It never goes deeper than it allows. */
export function jsonFault(value: unknown): string | undefined {
  const fault = faultBelow(value, 0);
  if (fault !== undefined) return fault;
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  return bytes > MAX_JSON_BYTES ? `has ${bytes} bytes; ${MAX_JSON_BYTES} at most are taken` : undefined;
}

function faultBelow(value: unknown, levels: number): string | undefined {
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'has a number that is too large';
  if (typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return `has a ${typeof value}, which is no JSON`;
  if (levels === MAX_JSON_LEVELS) return `is deeper than ${MAX_JSON_LEVELS} levels`;
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') return 'has a key "__proto__", which is not taken';
    const fault = textFault(key) ?? faultBelow(item, levels + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'has a NUL character, which is not taken';
  // One half of a pair, such as \ud800 alone, is no character, and no database keeps it.
  return /\p{Surrogate}/u.test(text) ? 'has half of a surrogate pair, which is no character' : undefined;
}
