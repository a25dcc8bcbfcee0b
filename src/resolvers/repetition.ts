// Whether, and until when, the answer that a request is given may be given again to an equal request of the same caller,
// as far as it depends on anything but entries of the cache. A resolver reaches the world through its context alone:
// there each service that is not listed here as constant makes the answer one that is given once.
import { type Act, perform } from './act.js';
import type { Services } from './services.js';

export interface Terms {
  /** Unix milliseconds: from `fromMs` and before `untilMs`. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** What goes with each answer, such as to note a use. */
  readonly acts: readonly Act[];
}

export class Repetition {
  /** The services as the request's resolvers have them. */
  readonly services: Services;
  /** The process, as what is remembered may be found by: hints on how best to ask, which no answer depends on. */
  readonly process: object;
  readonly #services: Services;
  readonly #acts: Act[] = [];
  #once = false;
  #fromMs = Number.NEGATIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;

  constructor(services: Services) {
    this.#services = services;
    this.process = services.cache;
    this.services = new WatchedServices(services, () => {
      this.#once = true;
    });
  }

  /** The moment, in Unix milliseconds, for what stays the same from then until `endOf` it. */
  moment(endOf: (nowMs: number) => number): number {
    const nowMs = this.#services.now();
    this.#fromMs = Math.max(this.#fromMs, nowMs);
    this.#untilMs = Math.min(this.#untilMs, endOf(nowMs));
    return nowMs;
  }

  /** Does now, and each time that the answer is given, what is no part of it. */
  eachTime(act: Act): void {
    perform(act, this.#services);
    this.#acts.push(act);
  }

  /** Undefined where the answer is given once. */
  get terms(): Terms | undefined {
    if (this.#once) return undefined;
    return { fromMs: this.#fromMs, untilMs: this.#untilMs, acts: [...this.#acts] };
  }
}

/** Services of which each use is told, but for those that never change. */
class WatchedServices implements Services {
  readonly #services: Services;
  readonly #used: () => void;

  constructor(services: Services, used: () => void) {
    this.#services = services;
    this.#used = used;
  }

  get cursorKey(): string {
    return this.#services.cursorKey;
  }

  get pepper(): string {
    return this.#services.pepper;
  }

  get gatewayId(): Services['gatewayId'] {
    return this.#use('gatewayId');
  }

  get cache(): Services['cache'] {
    return this.#use('cache');
  }

  get db(): Services['db'] {
    return this.#use('db');
  }

  get query(): Services['query'] {
    return this.#use('query');
  }

  get queryAs(): Services['queryAs'] {
    return this.#use('queryAs');
  }

  get tokenUses(): Services['tokenUses'] {
    return this.#use('tokenUses');
  }

  get masterKey(): Services['masterKey'] {
    return this.#use('masterKey');
  }

  get now(): Services['now'] {
    return this.#use('now');
  }

  get randomBytes(): Services['randomBytes'] {
    return this.#use('randomBytes');
  }

  #use<Name extends keyof Services>(name: Name): Services[Name] {
    this.#used();
    return this.#services[name];
  }
}
