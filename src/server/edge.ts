// The guards of the edge, composed from what is set: how much may be asked, by whom, how often, and of which documents.

import { BlockList } from 'node:net';
import { Answers, type AnswersOptions } from './answers.js';
import type { Arrival } from './arrival.js';
import { checkAuthorization } from './authorization.js';
import { crossOrigin } from './cross-origin.js';
import type { DocumentOptions } from './document.js';
import { Door, type Guest, type Meter, type Standing } from './door.js';
import type { Exchange } from './exchange.js';
import { checkFraming } from './framing.js';
import type { Keeping } from './http-cache.js';
import { defaultLimits, type Limits } from './limits.js';
import { watchLoad } from './loop-delay.js';
import { Places } from './overload.js';
import { RateLimiter, type SharedAllowances } from './rate-limit.js';
import { defaultRates, type Rates } from './rates.js';
import type { ErrorPolicy } from './shown-error.js';
import type { TrustedDocuments } from './trusted-documents.js';
import { Turns } from './turns.js';

/** What is left out is as in development on one machine. */
export interface EdgeOptions<Caller> {
  readonly limits?: Partial<Limits> | undefined;
  readonly rates?: Partial<Rates> | undefined;
  /** What all gateways draw on; left out, this is the only one. */
  readonly allowances?: SharedAllowances | undefined;
  /** Of each rate, what is granted while nobody can be asked about the others; a quarter unless given. */
  readonly shareAlone?: number | undefined;
  /** Whose X-Forwarded-For is believed; nobody's unless given. */
  readonly proxies?: BlockList | undefined;
  /** Whose pages may ask besides our own. */
  readonly origins?: ReadonlySet<string> | undefined;
  /** Left out, nobody may do more than anybody. */
  readonly standingOf?: ((caller: Caller) => Standing) | undefined;
  /** Root fields with a rate of their own. */
  readonly metered?: ReadonlyMap<string, Meter> | undefined;
  /** Whether the schema may be asked about; unless given, outside of production. */
  readonly introspection?: boolean | undefined;
  readonly trusted?: TrustedDocuments | undefined;
  /** Whether callers need a right of their own to run what is not trusted. */
  readonly trustedOnly?: boolean | undefined;
  /** Left out, every request is executed. */
  readonly answers?: AnswersOptions<Caller> | undefined;
  /** For how long what a caller has read may be kept outside; left out, whoever keeps it asks each time. */
  readonly keepingOf?: ((caller: Caller) => Keeping) | undefined;
}

export interface Edge<Caller> {
  readonly limits: Limits;
  readonly documents: DocumentOptions;
  readonly places: Places;
  readonly turns: Turns;
  readonly door: Door<Caller>;
  readonly trusted: TrustedDocuments;
  readonly trustedOnly: boolean;
  readonly answers: Answers<Caller> | undefined;
  readonly keepingOf: (caller: Caller) => Keeping;
  /** How late the event loop ran lately, in ms. */
  readonly delayMs: () => number;
  /** What every request passes first; true when it is answered. @throws {Refusal} when it goes no further. */
  readonly receive: (exchange: Exchange) => boolean;
  /** Asked before an operation runs. @throws {Refusal} to turn it away, at once or later. */
  readonly admit: (
    request: { readonly exchange: Exchange; readonly guest: Guest<Caller> },
    cost: number,
    rootFields: ReadonlyMap<string, number>,
  ) => Promise<void> | undefined;
  readonly close: () => void;
}

export interface EdgeWiring<Caller> extends EdgeOptions<Caller> {
  readonly contextOf: (arrival: Arrival) => Promise<Caller>;
  readonly codedError: ErrorPolicy['codedError'];
  readonly production: boolean;
}

/** Opens the guards; `close` ends what they watch. */
export function openEdge<Caller>(options: EdgeWiring<Caller>): Edge<Caller> {
  const {
    contextOf,
    codedError,
    production,
    origins = new Set<string>(),
    trusted = new Map<string, string>(),
  } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const load = watchLoad();
  const places: Places = new Places({
    limit: limits.inFlight,
    isLate: () => turns.isFull,
    onRoom: () => turns.goOn(),
  });
  const turns = new Turns(() => places.areCrowded());
  const door = new Door<Caller>({
    contextOf,
    codedError,
    standingOf: options.standingOf ?? (() => ({ id: undefined, writes: false, free: false })),
    limiter: new RateLimiter(options.allowances, undefined, options.shareAlone),
    rates: { ...defaultRates, ...options.rates },
    proxies: options.proxies ?? new BlockList(),
    metered: options.metered ?? new Map(),
  });
  return {
    limits,
    documents: { limits, introspection: options.introspection ?? !production },
    places,
    turns,
    door,
    trusted,
    trustedOnly: options.trustedOnly ?? false,
    answers: options.answers && new Answers(options.answers),
    keepingOf: options.keepingOf ?? (() => ({ maxAgeSeconds: 0, shared: false })),
    delayMs: load.delayMs,
    receive: (exchange) => {
      checkFraming(exchange.request);
      checkAuthorization(exchange.request, limits.authorization);
      return crossOrigin(exchange, origins);
    },
    admit: ({ exchange, guest }, cost, rootFields) => {
      if (exchange.operationType === 'query') places.admitQuery(exchange);
      return door.charge(guest, cost, rootFields);
    },
    close: load.close,
  };
}
