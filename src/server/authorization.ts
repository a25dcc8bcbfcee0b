// The Authorization header before anybody looks into it: one at most, and no longer than a token is. Node keeps the first
// of several and says nothing, while a proxy in front may have judged the last.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

/** @throws {Refusal} when `request` has several Authorization headers, or a long one. */
export function checkAuthorization({ headers, rawHeaders }: IncomingMessage, maxBytes: number): void {
  const { authorization } = headers;
  if (authorization === undefined) return;
  if (rawHeaders.filter((name, at) => at % 2 === 0 && isAuthorization(name)).length > 1) {
    throw new Refusal('BAD_REQUEST', 'Send one Authorization header.');
  }
  if (authorization.length > maxBytes) {
    const sentence = `The Authorization header is longer than ${maxBytes} bytes; send "Bearer" and your token.`;
    throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 431 });
  }
}

const isAuthorization = (name: string) => name.length === 13 && name.toLowerCase() === 'authorization';
