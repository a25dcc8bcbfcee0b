// The masters of a Redis Cluster, each with connections of its own, and which of them holds a partition. The map is
// asked for again when a master gives reason to doubt it, and every few seconds; nothing is ever redirected.
import { Redis, type RedisOptions } from 'ioredis';
import type { HostPort } from './redis-address.js';
import { within } from './redis-deadline.js';
import { LINK_OPTIONS, RedisLink, type Tell } from './redis-link.js';
import { closeNode, connectNode, openNode, type RedisNode, type RedisServers } from './redis-servers.js';
import { newestOf, SLOTS, type SlotView, slotOf, slotViewOf } from './redis-slots.js';

const REFRESH_MS = 2_000;
/** While masters are missing, or in doubt. */
const RETRY_MS = 250;
/** Not more often than this, whatever gives reason to. */
const PAUSE_MS = 100;
/** A node that is frozen holds up the others' answers for no longer. */
const ANSWER_MS = 500;
const VISIT_MS = 1_000;
/** At most this many nodes are asked at once. */
const ASKED = 8;

const nameOf = ({ host, port }: HostPort): string => `${host}:${port}`;

export class RedisCluster implements RedisServers {
  readonly kind = 'cluster';
  readonly #seeds: readonly HostPort[];
  readonly #options: RedisOptions;
  readonly #tell: Tell;
  readonly #nodes = new Map<string, RedisNode>();
  #owners: readonly (RedisNode | undefined)[] = [];
  readonly #slots = new Map<string, number>();
  #replicas: readonly HostPort[] = [];
  #refusal: string | undefined;
  #foreign = false;
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshedAtMs = 0;
  #turn = 0;
  #closed = false;

  constructor(seeds: readonly HostPort[], options: RedisOptions, tell: Tell) {
    this.#seeds = seeds;
    this.#options = options;
    this.#tell = tell;
  }

  /** Resolves once every master is reached, or an attempt to has failed; goes on trying. */
  async connect(): Promise<void> {
    await this.#refresh();
    await Promise.all([...this.#nodes.values()].map(connectNode));
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Whether what was found is no cluster. */
  get foreign(): boolean {
    return this.#foreign;
  }

  masterOf(tag: string): RedisNode | undefined {
    const slot = this.#slots.get(tag) ?? slotOf(tag);
    this.#slots.set(tag, slot);
    return this.#owners[slot];
  }

  masters(): readonly RedisNode[] {
    return [...this.#nodes.values()];
  }

  doubt(): void {
    if (!this.#refreshing) this.#schedule(Math.max(0, this.#refreshedAtMs + PAUSE_MS - performance.now()));
  }

  demoted(): void {
    this.doubt();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const node of this.#nodes.values()) closeNode(node);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#refresh(), ms).unref();
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#learn().finally(() => {
      this.#refreshing = undefined;
      this.#refreshedAtMs = performance.now();
      this.#schedule(this.#isWhole ? REFRESH_MS : RETRY_MS);
    });
    return this.#refreshing;
  }

  get #isWhole(): boolean {
    const masters = this.masters();
    return masters.length > 0 && masters.every(({ reads, writes }) => reads.facts && writes.facts);
  }

  async #learn(): Promise<void> {
    const linked = sample(this.masters(), ++this.#turn).map(({ name, writes }) => viewOf(writes, hostOf(name)));
    let newest = newestOf((await Promise.all(linked)).flatMap((view) => view ?? []));
    if (!newest?.ok) {
      const others = new Map([...this.#seeds, ...this.#replicas].map((where) => [nameOf(where), where]));
      for (const name of this.#nodes.keys()) others.delete(name);
      const asked = sample([...others.values()], this.#turn).map((where) => this.#visit(where));
      newest = newestOf([...(newest ? [newest] : []), ...(await Promise.all(asked)).flatMap((view) => view ?? [])]);
    }
    if (newest && !this.#closed && (newest.ok || this.#nodes.size === 0)) this.#adopt(newest);
  }

  /** Asks a node that no connection is kept to. */
  async #visit(where: HostPort): Promise<SlotView | undefined> {
    const redis = new Redis({ ...this.#options, ...where, ...LINK_OPTIONS, retryStrategy: () => null });
    const link = new RedisLink(redis, () => {});
    try {
      await within(VISIT_MS, link.connect());
      this.#refusal = link.refusal;
      if (link.facts) this.#foreign = link.facts.mode !== 'cluster';
      return await viewOf(link, where.host);
    } catch {
      return undefined;
    } finally {
      link.close();
    }
  }

  #adopt({ ranges, replicas }: SlotView): void {
    const owners: (RedisNode | undefined)[] = new Array(SLOTS);
    const masters = new Set<string>();
    for (const { first, last, master } of ranges) {
      masters.add(nameOf(master));
      owners.fill(this.#open(master), first, last + 1);
    }
    this.#owners = owners;
    this.#replicas = replicas;
    for (const [name, node] of this.#nodes) {
      if (masters.has(name)) continue;
      this.#nodes.delete(name);
      closeNode(node);
    }
  }

  #open(master: HostPort): RedisNode {
    const name = nameOf(master);
    const known = this.#nodes.get(name);
    if (known) return known;
    const node = openNode(name, { ...this.#options, ...master }, this.#tell);
    this.#nodes.set(name, node);
    void connectNode(node);
    return node;
  }
}

const hostOf = (name: string): string => name.slice(0, name.lastIndexOf(':'));

async function viewOf(link: RedisLink, host: string): Promise<SlotView | undefined> {
  if (!link.facts) return undefined;
  try {
    const [info, slots] = await within(
      ANSWER_MS,
      Promise.all([link.ask('CLUSTER', 'INFO'), link.ask('CLUSTER', 'SLOTS')]),
    );
    return slotViewOf(info, slots, host);
  } catch {
    return undefined;
  }
}

/** Some of `all`, others each turn. */
function sample<Item>(all: readonly Item[], turn: number): readonly Item[] {
  if (all.length <= ASKED) return all;
  const from = (turn * ASKED) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, ASKED);
}
