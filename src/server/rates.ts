// The rates that callers are held to, and which of them an operation draws on.

import type { Rate } from './rate-limit.js';

/** In units a minute; 0 lifts the limit. */
export interface Rates {
  /** Of a caller with a token. */
  readonly token: number;
  /** Of all callers without one at an address. */
  readonly address: number;
  /** Authentications that fail, of an address. */
  readonly failures: number;
  readonly issue: number;
  readonly introspect: number;
  readonly reveal: number;
}

export const defaultRates: Rates = {
  token: 0,
  address: 0,
  failures: 1_200,
  issue: 600,
  introspect: 60_000,
  reveal: 60, // as in Postgres, where it cannot be set
};

/** So many seconds of a rate may be asked for at once. */
const burstSeconds = { token: 10, address: 10, failures: 60, issue: 60, introspect: 10, reveal: 60 } as const;

/** The limiter's form of each rate; undefined where there is no limit. */
export function ratesOf(rates: Rates): { readonly [Name in keyof Rates]: Rate | undefined } {
  const rate = (name: keyof Rates): Rate | undefined => {
    const perSecond = rates[name] / 60;
    return perSecond > 0 ? { name, perSecond, burst: Math.max(1, perSecond * burstSeconds[name]) } : undefined;
  };
  return {
    token: rate('token'),
    address: rate('address'),
    failures: rate('failures'),
    issue: rate('issue'),
    introspect: rate('introspect'),
    reveal: rate('reveal'),
  };
}

/** What an operation of this cost takes off its caller's rate; the request itself has taken one. */
export const unitsOf = (cost: number): number => Math.ceil(cost / objectsPerUnit) - 1;

const objectsPerUnit = 10;
