// Who asks, and whether he may ask as much: authentication with a limit on failures, and the rates of callers. A caller is
// told apart by his token, else by his address.

import type { BlockList } from 'node:net';
import { addressOf } from './address.js';
import type { Arrival } from './arrival.js';
import type { Exchange } from './exchange.js';
import { FailedLogins } from './failed-logins.js';
import type { RateLimiter } from './rate-limit.js';
import { type Rates, ratesOf, unitsOf } from './rates.js';
import { refusalOf } from './refusal.js';

/** What the edge knows of a caller. */
export interface Standing {
  /** Of his token, which it is not; undefined for one without. */
  readonly id: string | undefined;
  /** Whether he may write anything, and so send long bodies. */
  readonly writes: boolean;
  /** Whether he may send documents of his own where only trusted ones run. */
  readonly free: boolean;
}

/** A caller who has been let in. */
export interface Guest<Caller> extends Standing {
  readonly caller: Caller;
  /** Tells him from others, in memory alone. */
  readonly name: string;
}

/** A rate that single fields are held to, beside the caller's own. */
export type Meter = 'issue' | 'introspect' | 'reveal';

export interface DoorOptions<Caller> {
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  readonly standingOf: (caller: Caller) => Standing;
  readonly codedError: (error: unknown) => Error | undefined;
  readonly limiter: RateLimiter;
  readonly rates: Rates;
  readonly proxies: BlockList;
  /** By the name of the root field. */
  readonly metered: ReadonlyMap<string, Meter>;
}

export class Door<Caller> {
  readonly #options: DoorOptions<Caller>;
  readonly #rates: ReturnType<typeof ratesOf>;
  readonly #failures: FailedLogins;

  constructor(options: DoorOptions<Caller>) {
    this.#options = options;
    this.#rates = ratesOf(options.rates);
    this.#failures = new FailedLogins(options.limiter, this.#rates.failures);
  }

  /** The caller, who has paid for one request. @throws {Refusal} when he asks too much, or is nobody; what else `contextOf` throws. */
  async admit(exchange: Exchange, arrival: Arrival): Promise<Guest<Caller>> {
    const caller = await this.#identify(exchange, arrival);
    const { id, writes, free } = this.#options.standingOf(caller);
    const name = id === undefined ? `address:${this.#addressOf(exchange)}` : `token:${id}`;
    const guest = { caller, name, id, writes, free };
    this.#take(guest, 1);
    return guest;
  }

  /** Takes what an operation costs beyond the request itself. @throws {Refusal} when too little is left. */
  async charge(guest: Guest<Caller>, cost: number, fields: ReadonlyMap<string, number>): Promise<void> {
    const units = unitsOf(cost);
    if (units > 0) this.#take(guest, units);
    for (const [field, times] of fields) {
      const meter = this.#options.metered.get(field);
      if (meter) await this.meter(guest, meter, times);
    }
  }

  /** Takes `times` from one of the lower rates, across all gateways. @throws {Refusal} when too little is left. */
  async meter({ name }: Guest<Caller>, meter: Meter, times: number): Promise<void> {
    const rate = this.#rates[meter];
    if (rate) await this.#options.limiter.takeSurely(rate, name, times);
  }

  #take({ id, name }: Guest<Caller>, units: number): void {
    const rate = id === undefined ? this.#rates.address : this.#rates.token;
    if (rate) this.#options.limiter.take(rate, name, units);
  }

  async #identify(exchange: Exchange, arrival: Arrival): Promise<Caller> {
    const { contextOf, codedError } = this.#options;
    const { authorization } = arrival;
    if (authorization === undefined) return contextOf(arrival);
    const address = this.#addressOf(exchange);
    this.#failures.requirePatience(address, authorization);
    try {
      const caller = await contextOf(arrival);
      this.#failures.accepted(address, authorization);
      return caller;
    } catch (error) {
      const refusal = refusalOf(codedError(error) ?? error);
      if (refusal?.code === 'UNAUTHENTICATED') this.#failures.refused(address, authorization);
      throw refusal ?? error;
    }
  }

  #addressOf({ request }: Exchange): string {
    return addressOf(request, this.#options.proxies);
  }
}
