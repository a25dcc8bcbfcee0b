// How much one caller may ask for over time: a token bucket for each name, the same for all gateways that share a store.
//
// A gateway admits by what it knows itself and tells the store behind the request's back, many draws in one round-trip, so
// that limits cost no request any time. What others drew it learns with the next reply; until then callers of several
// gateways may overdraw by what they draw within one round-trip, and it is counted as debt. `takeSurely` asks first.
// While the store is out of reach a gateway grants a quarter of each rate, as if four shared it.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Refusal } from './refusal.js';

export interface Rate {
  readonly name: string;
  readonly perSecond: number;
  /** So much at once. */
  readonly burst: number;
}

export interface Draw {
  /** Of a digest: neither tokens nor addresses are told. */
  readonly key: string;
  readonly cost: number;
  readonly perSecond: number;
  readonly burst: number;
  /** Whether it counts even where too little is left, as what has been granted already. */
  readonly granted: boolean;
}

/** What is left of each afterwards; a draw that was not granted takes all or nothing. Rejects when the store is out of reach. */
export type SharedAllowances = (
  draws: readonly Draw[],
) => Promise<readonly { readonly taken: boolean; readonly left: number }[]>;

interface Asking {
  readonly draw: Draw;
  readonly resolve: (reply: { readonly taken: boolean; readonly left: number } | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Bucket {
  left: number;
  atMs: number;
  /** Granted, and not yet on its way to the store. */
  untold: number;
}

/** What one of four gateways grants alone. */
export const ALONE = 0.25;
const pauseMs = 1_000; // before a store that was out of reach is asked again
const maxBuckets = 50_000;

export class RateLimiter {
  readonly #shared: SharedAllowances | undefined;
  readonly #nowMs: () => number;
  readonly #alone: number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: maxBuckets });
  readonly #untold = new Map<string, { readonly rate: Rate; readonly bucket: Bucket }>();
  #telling = false;
  #asking: Asking[] = [];
  #downUntilMs = Number.NEGATIVE_INFINITY;

  constructor(shared: SharedAllowances | undefined, nowMs: () => number = () => performance.now(), alone = ALONE) {
    this.#shared = shared;
    this.#nowMs = nowMs;
    this.#alone = alone;
  }

  /** Takes `cost` for `who`, or as much as there can be. @throws {Refusal} when too little is left. */
  take(rate: Rate, who: string, cost: number): void {
    const key = `${rate.name}:${who}`;
    const bucket = this.#takeHere(rate, key, cost);
    if (!this.#shared) return;
    bucket.untold += Math.min(cost, rate.burst);
    this.#untold.set(key, { rate, bucket });
    if (!this.#telling) void this.#tell(this.#shared);
  }

  /** Takes one for `who`, who has had it, if any is left. */
  takeUpTo(rate: Rate, who: string): void {
    if (!this.isSpent(rate, who)) this.take(rate, who, 1);
  }

  /** Takes `cost` for `who` from what all gateways share. @throws {Refusal} when too little is left. */
  async takeSurely(rate: Rate, who: string, cost: number): Promise<void> {
    const key = `${rate.name}:${who}`;
    const bucket = this.#takeHere(rate, key, cost);
    if (!this.#shared || this.#isDown()) return;
    const wanted = Math.min(cost, rate.burst);
    try {
      const reply = await this.#ask(this.#shared, drawOf(key, rate, wanted, false));
      if (!reply) return;
      bucket.left = Math.min(bucket.left, reply.left - bucket.untold);
      if (!reply.taken) throw refusal(rate, wanted - reply.left);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#lost();
    }
  }

  /** Whether `who` has taken anything lately. */
  knows({ name }: Rate, who: string): boolean {
    return this.#buckets.has(`${name}:${who}`);
  }

  /** Whether `who` has nothing left. */
  isSpent(rate: Rate, who: string): boolean {
    const bucket = this.#buckets.peek(`${rate.name}:${who}`);
    return bucket !== undefined && this.#refilled(rate, bucket).left < Math.min(1, rate.burst * this.#share());
  }

  #takeHere(rate: Rate, key: string, cost: number): Bucket {
    const bucket = this.#refilled(rate, this.#buckets.get(key) ?? this.#open(rate, key));
    const wanted = Math.min(cost, rate.burst * this.#share());
    if (bucket.left < wanted) throw refusal(rate, (wanted - bucket.left) / this.#share());
    bucket.left -= wanted;
    return bucket;
  }

  #open({ burst }: Rate, key: string): Bucket {
    const bucket = { left: burst, atMs: this.#nowMs(), untold: 0 };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #refilled({ perSecond, burst }: Rate, bucket: Bucket): Bucket {
    const nowMs = this.#nowMs();
    const share = this.#share();
    const refill = ((nowMs - bucket.atMs) / 1_000) * perSecond * share;
    bucket.left = Math.min(Math.max(1, burst * share), bucket.left + refill);
    bucket.atMs = nowMs;
    return bucket;
  }

  /** Tells the store what was granted, one batch at a time; what is granted meanwhile goes with the next. */
  async #tell(shared: SharedAllowances): Promise<void> {
    this.#telling = true;
    await new Promise(setImmediate);
    while (this.#untold.size > 0) {
      const batch = [...this.#untold];
      this.#untold.clear();
      const draws = batch.map(([key, { rate, bucket }]) => {
        const cost = bucket.untold;
        bucket.untold = 0;
        return drawOf(key, rate, cost, true);
      });
      if (this.#isDown()) continue;
      try {
        const replies = await shared(draws);
        batch.forEach(([, { bucket }], at) => {
          const left = replies[at]?.left;
          if (left !== undefined) bucket.left = Math.min(bucket.left, left - bucket.untold);
        });
      } catch {
        this.#lost();
      }
    }
    this.#telling = false;
  }

  /** What the store replies to `draw`, which goes with all others of this turn of the event loop. */
  #ask(shared: SharedAllowances, draw: Draw) {
    return new Promise<Awaited<ReturnType<SharedAllowances>>[number] | undefined>((resolve, reject) => {
      if (this.#asking.push({ draw, resolve, reject }) > 1) return;
      setImmediate(async () => {
        const asking = this.#asking;
        this.#asking = [];
        try {
          const replies = await shared(asking.map(({ draw }) => draw));
          asking.forEach(({ resolve }, at) => resolve(replies[at]));
        } catch (error) {
          for (const { reject } of asking) reject(error);
        }
      });
    });
  }

  #lost(): void {
    this.#downUntilMs = this.#nowMs() + pauseMs;
  }

  #isDown(): boolean {
    return this.#nowMs() < this.#downUntilMs;
  }

  #share(): number {
    return this.#isDown() ? this.#alone : 1;
  }
}

const drawOf = (key: string, { perSecond, burst }: Rate, cost: number, granted: boolean): Draw => ({
  key: hash('sha256', key),
  cost,
  perSecond,
  burst,
  granted,
});

function refusal({ name, perSecond }: Rate, missing: number): Refusal {
  const seconds = Math.max(1, Math.ceil(missing / perSecond));
  const sentence = `Too much was asked at once (limit: ${name}); try again in ${seconds} s.`;
  return new Refusal('RATE_LIMITED', sentence, { headers: { 'retry-after': String(seconds) } });
}
