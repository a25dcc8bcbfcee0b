// The door of the control routes: whoever asks shows the secret that the gateway and the command line both read from the
// home folder.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from './exchange.js';
import { Refusal } from './refusal.js';

/** @throws {Refusal} unless the request bears the control secret. */
export function requireControl({ request }: Exchange, controlSecret: string): void {
  if (isBearerOf(controlSecret, request.headers.authorization)) return;
  throw new Refusal('UNAUTHENTICATED', 'Send the control secret of this gateway as a bearer token.');
}

// Digests have one length, so that comparing them takes one time whatever was sent.
function isBearerOf(secret: string, authorization = ''): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(authorization), digest(`Bearer ${secret}`));
}
