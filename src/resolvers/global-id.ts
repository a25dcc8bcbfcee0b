// Relay global ids: the type's name and its natural key, in base64url. They say nothing that a caller could not know.
import { Invalid } from './errors.js';

export function globalId(type: string, key: string): string {
  return Buffer.from(`${type}:${key}`).toString('base64url');
}

/** @throws {Invalid} when `id` is none of ours. */
export function parseGlobalId(id: string): { type: string; key: string } {
  const text = Buffer.from(id, 'base64url').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || globalId(text.slice(0, colon), text.slice(colon + 1)) !== id) {
    throw new Invalid(`${JSON.stringify(id.slice(0, 60))} is not an id that this gateway gave out.`, { path: ['id'] });
  }
  return { type: text.slice(0, colon), key: text.slice(colon + 1) };
}

/** The key in an id of type `type`; undefined when the id is of another type. */
export function keyOfId(id: string, type: string): string | undefined {
  const parsed = parseGlobalId(id);
  return parsed.type === type ? parsed.key : undefined;
}
