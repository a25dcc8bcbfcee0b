// One address of Redis in the model: who is master there, what its replica and its dump hold, and which gateways still
// talk to a master that was replaced.
import { ModelRedis } from './model-redis.js';
import { type Server, server } from './network.js';
import { type Party, party } from './scheduler.js';
import type { Master, Site } from './servers.js';

export class ModelSite implements Site {
  readonly server: Server;
  master: ModelRedis;
  readonly #nowMs: () => number;
  readonly #nextIncarnation: () => string;
  #replica: ModelRedis;
  #dump: ModelRedis;
  /** Gateways that have not heard of the failover. */
  readonly #behind = new Map<string, { readonly master: ModelRedis; readonly untilMs: number }>();

  constructor(name: string, nowMs: () => number, nextIncarnation: () => string) {
    this.server = server(party(name), true);
    this.#nowMs = nowMs;
    this.#nextIncarnation = nextIncarnation;
    this.master = new ModelRedis(nextIncarnation(), nowMs);
    this.#replica = this.master;
    this.#dump = this.master;
    this.copy();
  }

  masterFor(from: Party): Master {
    const behind = this.#behind.get(from.name);
    return behind && behind.untilMs > this.#nowMs() ? behind.master : this.master;
  }

  /** Brings the replica to where the master is. */
  replicate(): void {
    this.#replica = new ModelRedis('', this.#nowMs, this.master.copy());
  }

  /** Writes a dump. */
  save(): void {
    this.#dump = new ModelRedis('', this.#nowMs, this.master.copy());
  }

  copy(): void {
    this.replicate();
    this.save();
  }

  /** Promotes the replica as far as it has come; those who are behind go on talking to the old master until then. */
  failOver(behind: readonly Party[], untilMs: number): void {
    for (const { name } of behind) this.#behind.set(name, { master: this.master, untilMs });
    this.#replace(this.#replica);
  }

  /** Restarts from the dump, or from nothing. */
  restart(from: 'dump' | 'empty'): void {
    this.#behind.clear();
    this.#replace(from === 'dump' ? this.#dump : new ModelRedis('', this.#nowMs));
  }

  flushAll(): void {
    this.master.flushAll();
  }

  evict(partition: number, entry: { view: string; key: string }): void {
    this.master.evict(partition, entry);
  }

  versionAt(partition: number, name: string): string | undefined {
    return this.master.versionAt(partition, name);
  }

  /** Everybody hears of the newest master. */
  heal(): void {
    this.#behind.clear();
  }

  #replace(by: ModelRedis): void {
    this.master = new ModelRedis(this.#nextIncarnation(), this.#nowMs, by.copy());
    this.replicate();
  }
}
