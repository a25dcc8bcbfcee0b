// The headers that bear a token, before anybody looks into them: one at most, and no longer than a token is. Node keeps the
// first of several and says nothing, while a proxy in front may have judged the last.

import type { IncomingMessage } from 'node:http';
import { timesSent } from './framing.js';
import { Refusal } from './refusal.js';

/** @throws {Refusal} when `request` has several Authorization headers, or a long one. */
export function checkAuthorization(request: IncomingMessage, maxBytes: number): void {
  const { authorization } = request.headers;
  if (authorization === undefined) return;
  if (timesSent(request.rawHeaders, 'authorization') > 1)
    throw new Refusal('BAD_REQUEST', 'Send one Authorization header.');
  requireShort('Authorization', authorization, maxBytes);
}

/** @throws {Refusal} when `request` has several headers x-api-key, a long one, or one beside Authorization. */
export function checkApiKey(request: IncomingMessage, maxBytes: number): void {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if (typeof apiKey !== 'string') return;
  if (authorization !== undefined || timesSent(request.rawHeaders, 'x-api-key') > 1) {
    throw new Refusal('BAD_REQUEST', 'Send one token: as Authorization, or as x-api-key.');
  }
  requireShort('x-api-key', apiKey, maxBytes);
}

function requireShort(name: string, value: string, maxBytes: number): void {
  if (value.length <= maxBytes) return;
  const sentence = `The header ${name} is longer than ${maxBytes} bytes; send your token alone.`;
  throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 431 });
}
