// Who asks, and whether he may ask as much: authentication with a limit on failures, and the rates of callers. A caller is
// told apart by his token, else by his address.

import type { BlockList, Socket } from 'node:net';
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

/** Whom the rates count for. */
export interface Counted extends Standing {
  /** Tells him from others, in memory alone. */
  readonly name: string;
}

/** A caller who has been let in. */
export interface Guest<Caller> extends Counted {
  readonly caller: Caller;
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
  readonly #addresses = new WeakMap<Socket, string>();

  constructor(options: DoorOptions<Caller>) {
    this.#options = options;
    this.#rates = ratesOf(options.rates);
    this.#failures = new FailedLogins(options.limiter, this.#rates.failures);
  }

  /** The caller, who has paid for one request. @throws {Refusal} when he asks too much, or is nobody; what else `contextOf` throws. */
  async admit(exchange: Exchange, arrival: Arrival): Promise<Guest<Caller>> {
    const caller = await this.#identify(exchange, arrival);
    const guest = { ...this.#counted(exchange, this.#options.standingOf(caller)), caller };
    this.#take(guest, 1);
    return guest;
  }

  /**
   * The same for a caller of whom it is known by other means that he stands so by this very header.
   * @throws {Refusal} when he asks too much.
   */
  recognise(exchange: Exchange, { authorization }: Arrival, standing: Standing): Counted {
    if (authorization !== undefined) {
      const address = this.#addressOf(exchange);
      this.#failures.requirePatience(address, authorization);
      this.#failures.accepted(address, authorization);
    }
    const counted = this.#counted(exchange, standing);
    this.#take(counted, 1);
    return counted;
  }

  /** Takes what an operation costs beyond the request itself. @throws {Refusal} when too little is left, at once or later. */
  charge(guest: Counted, cost: number, fields: ReadonlyMap<string, number>): Promise<void> | undefined {
    const units = unitsOf(cost);
    if (units > 0) this.#take(guest, units);
    const { metered } = this.#options;
    for (const field of fields.keys()) if (metered.has(field)) return this.#meterAll(guest, fields);
    return undefined;
  }

  async #meterAll(guest: Counted, fields: ReadonlyMap<string, number>): Promise<void> {
    for (const [field, times] of fields) {
      const meter = this.#options.metered.get(field);
      if (meter) await this.meter(guest, meter, times);
    }
  }

  /** Takes `times` from one of the lower rates, across all gateways. @throws {Refusal} when too little is left. */
  async meter({ name }: Counted, meter: Meter, times: number): Promise<void> {
    const rate = this.#rates[meter];
    if (rate) await this.#options.limiter.takeSurely(rate, name, times);
  }

  #counted(exchange: Exchange, { id, writes, free }: Standing): Counted {
    const name = id === undefined ? `address:${this.#addressOf(exchange)}` : `token:${id}`;
    return { name, id, writes, free };
  }

  #take({ id, name }: Counted, units: number): void {
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

  /** Of what does not name another, the address is that of its connection. */
  #addressOf({ request }: Exchange): string {
    const { socket, headers } = request;
    if (headers['x-forwarded-for'] !== undefined) return addressOf(request, this.#options.proxies);
    let address = this.#addresses.get(socket);
    if (address === undefined) {
      address = addressOf(request, this.#options.proxies);
      this.#addresses.set(socket, address);
    }
    return address;
  }
}
