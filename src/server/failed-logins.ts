// Addresses from which tokens were refused too often: for a while none of theirs is looked at, but for tokens that have
// proved good since the failures began, so that nobody shuts out his neighbours behind one address.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Rate, RateLimiter } from './rate-limit.js';
import { Refusal } from './refusal.js';

const remembered = 10_000;

export class FailedLogins {
  readonly #limiter: RateLimiter;
  /** Undefined: nobody counts. */
  readonly #rate: Rate | undefined;
  /** Digests. */
  readonly #good = new LRUCache<string, true>({ max: remembered });

  constructor(limiter: RateLimiter, rate: Rate | undefined) {
    this.#limiter = limiter;
    this.#rate = rate;
  }

  /** @throws {Refusal} when an address has failed too often, and not by this header. */
  requirePatience(address: string, authorization: string): void {
    if (!this.#rate || !this.#limiter.isSpent(this.#rate, address) || this.#good.has(digestOf(authorization))) return;
    const sentence = 'Too many tokens from this address were refused; try again in a minute.';
    throw new Refusal('RATE_LIMITED', sentence, { headers: { 'retry-after': '60' } });
  }

  accepted(address: string, authorization: string): void {
    if (this.#rate && this.#limiter.knows(this.#rate, address)) this.#good.set(digestOf(authorization), true);
  }

  refused(address: string, authorization: string): void {
    if (!this.#rate) return;
    this.#good.delete(digestOf(authorization));
    this.#limiter.takeUpTo(this.#rate, address);
  }
}

const digestOf = (authorization: string) => hash('sha256', authorization);
