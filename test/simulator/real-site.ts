// One address of Redis in the real tier: two servers, of which one is master; the other takes its place in a failover,
// while gateways that have not heard of it may go on talking to the first.
import type { Dice } from './dice.js';
import { type Server, server } from './network.js';
import type { Dump, Held, RealRedis } from './real-redis.js';
import { type Party, party } from './scheduler.js';
import type { Master, Site } from './servers.js';

interface Seat {
  readonly redis: RealRedis;
  readonly master: Master;
}

export class RealSite implements Site {
  readonly server: Server = server(party('redis'), true);
  readonly #dice: Dice;
  readonly #nowMs: () => number;
  readonly #behind = new Map<string, { readonly seat: Seat; readonly untilMs: number }>();
  #current: Seat;
  #spare: Seat;
  #replica: Dump = { atMs: 0, keys: [] };
  #dump: Dump = { atMs: 0, keys: [] };

  private constructor(dice: Dice, nowMs: () => number, current: Seat, spare: Seat) {
    this.#dice = dice;
    this.#nowMs = nowMs;
    this.#current = current;
    this.#spare = spare;
  }

  static async begin(pair: readonly [RealRedis, RealRedis], held: Held, dice: Dice): Promise<RealSite> {
    const [one, other] = await Promise.all(pair.map(async (redis) => ({ redis, master: await redis.begin(held) })));
    if (!one || !other) throw new Error('Two servers are needed.');
    return new RealSite(dice, held.nowMs, one, other);
  }

  get master(): Master {
    return this.#current.master;
  }

  masterFor(from: Party): Master {
    const behind = this.#behind.get(from.name);
    return behind && behind.untilMs > this.#nowMs() ? behind.seat.master : this.master;
  }

  async replicate(): Promise<void> {
    this.#replica = await this.#current.redis.dump();
  }

  async save(): Promise<void> {
    this.#dump = await this.#current.redis.dump();
  }

  async copy(): Promise<void> {
    await this.replicate();
    this.#dump = this.#replica;
  }

  async failOver(behind: readonly Party[], untilMs: number): Promise<void> {
    const [old, next] = [this.#current, this.#spare];
    await next.redis.restore(this.#replica);
    [this.#current, this.#spare] = [next, old];
    for (const { name } of behind) this.#behind.set(name, { seat: old, untilMs });
  }

  async restart(from: 'dump' | 'empty'): Promise<void> {
    this.#behind.clear();
    await this.#current.redis.restore(from === 'dump' ? this.#dump : { atMs: this.#nowMs(), keys: [] });
    await this.replicate();
  }

  async flushAll(): Promise<void> {
    await this.#current.redis.flushAll();
    if (this.#dice.chance(0.3)) await this.#current.redis.forgetScripts();
  }

  async evict(partition: number, entry: { view: string; key: string }): Promise<void> {
    await this.#current.redis.evict(partition, entry, this.#dice.chance(0.7));
  }

  versionAt(partition: number, name: string): Promise<string | undefined> {
    return this.#current.redis.versionAt(partition, name);
  }

  heal(): void {
    this.#behind.clear();
  }
}
