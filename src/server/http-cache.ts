// Answers that a CDN or a browser may keep: queries by GET, named by the hash of a trusted document, without an error.
// What was read decides for how long; anything else is kept by nobody.

import { hash } from 'node:crypto';
import type { Exchange } from './exchange.js';

/** How an answer may be kept. */
export interface Keeping {
  /** Whole seconds; 0 means that whoever keeps it asks each time whether it still holds. */
  readonly maxAgeSeconds: number;
  /** Whether it is the same for everybody. */
  readonly shared: boolean;
  /** The same as it is later, if the answer is given again; left out where that is not known. */
  readonly later?: () => Keeping;
}

/** How an answer that is given again may be kept. */
export interface KeptOutside {
  readonly tag: string;
  readonly keeping: () => Keeping;
}

/** By which an answer is told from others. */
export const tagOf = (body: string): string => `"${hash('sha256', body, 'base64url').slice(0, 27)}"`;

/** Marks the answer for whoever may keep it; true when the client has it already and is told so. */
export function keepAnswer({ request, response }: Exchange, tag: string, { maxAgeSeconds, shared }: Keeping): boolean {
  response.setHeader('etag', tag);
  response.setHeader('cache-control', `${shared ? 'public' : 'private'}, max-age=${maxAgeSeconds}, must-revalidate`);
  response.setHeader('vary', 'accept, authorization, origin, x-cache-trace');
  if (!matches(request.headers['if-none-match'], tag)) return false;
  response.writeHead(304).end();
  return true;
}

// Compared weakly, as RFC 9110, §13.1.2 has it.
function matches(condition: string | undefined, tag: string): boolean {
  if (condition === undefined) return false;
  return condition.trim() === '*' || condition.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}
