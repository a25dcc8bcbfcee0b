// One real redis-server of a worker: its keys can be put aside and brought back, it can begin another life without a
// restart, and its time is that of the schedule.
import { Redis } from 'ioredis';
import { redisKeys } from '../../src/cache/redis-keys.js';
import { connectNode, openNode, type RedisServers, singleServer } from '../../src/cache/redis-servers.js';
import { redisStore } from '../../src/cache/redis-store.js';
import type { Master } from './servers.js';

/** Against hanging only: how long a message takes, the schedule says. */
const TIMEOUT_MS = 10_000;
/** Far below anything that the scripts count in time. */
const ELAPSE_MS = 20;

/** What a replica or a dump holds: key, time to live, value; and when that was. */
export interface Dump {
  readonly atMs: number;
  readonly keys: readonly (readonly [name: string, ttlMs: number, value: Buffer])[];
}

/** The keys of one schedule. */
export interface Held {
  readonly installation: string;
  readonly places: readonly { readonly partition: number; readonly view: string; readonly key: string }[];
  readonly nowMs: () => number;
}

export class RealRedis {
  readonly #cli: Redis;
  readonly #servers: RedisServers;
  #held: Held = { installation: '', places: [], nowMs: () => 0 };
  #names: readonly string[] = [];
  #elapsedMs = 0;

  private constructor(cli: Redis, servers: RedisServers) {
    this.#cli = cli;
    this.#servers = servers;
  }

  /** Of the server that listens on this socket. */
  static async open(path: string): Promise<RealRedis> {
    const node = openNode('', { path }, () => {});
    await connectNode(node);
    return new RealRedis(new Redis({ path }), singleServer('single', node));
  }

  /** Forgets what schedules before left; from now on it holds the keys of this one. */
  async begin(held: Held): Promise<Master> {
    this.#held = held;
    const keys = redisKeys(held.installation);
    const whole = [...new Set(held.places.map(({ partition }) => partition))];
    this.#names = [
      ...whole.flatMap((partition) => [keys.meta(partition), keys.fences(partition)]),
      ...held.places.flatMap((place) => keys.entries(place.partition, [place])),
    ];
    await this.#cli.flushall();
    this.#elapsedMs = held.nowMs();
    const store = redisStore({ servers: this.#servers, installation: held.installation, timeoutMs: TIMEOUT_MS });
    return new Proxy(store, {
      get: (target, name) => {
        const operation: unknown = Reflect.get(target, name);
        if (typeof operation !== 'function') return operation;
        return async (...args: unknown[]) => {
          await this.elapse();
          return operation.apply(target, args);
        };
      },
    });
  }

  /** Lets the schedule's time pass for what this server holds: moments of entries move into the past. */
  async elapse(atLeastMs = ELAPSE_MS): Promise<void> {
    const { installation, places, nowMs } = this.#held;
    const ms = Math.floor(nowMs() - this.#elapsedMs);
    if (ms < atLeastMs) return;
    this.#elapsedMs += ms;
    const keys = redisKeys(installation);
    const names = places.flatMap((place) => [keys.fences(place.partition), ...keys.entries(place.partition, [place])]);
    await this.#cli.eval(ELAPSE, names.length, ...names, ms);
  }

  async dump(): Promise<Dump> {
    await this.elapse(1);
    const pipeline = this.#cli.pipeline();
    for (const name of this.#names) pipeline.pttl(name).dumpBuffer(name);
    const looks = (await pipeline.exec()) ?? [];
    const keys = this.#names.flatMap((name, at) => {
      const [ttlMs, value] = [looks[2 * at]?.[1], looks[2 * at + 1]?.[1]];
      return Buffer.isBuffer(value) ? [[name, Math.max(0, Number(ttlMs)), value] as const] : [];
    });
    return { atMs: this.#elapsedMs, keys };
  }

  /** Holds nothing but this, in another life. */
  async restore({ atMs, keys }: Dump): Promise<void> {
    const whole = this.#cli.multi().flushall();
    for (const [name, ttlMs, value] of keys) whole.restore(name, ttlMs, value);
    this.#elapsedMs = atMs;
    // A replica of nobody that is promoted: its replication id is a new one.
    const results = await whole.replicaof('127.0.0.1', '1').replicaof('NO', 'ONE').exec();
    const [failure] = results?.flatMap(([error]) => error ?? []) ?? [];
    if (failure) throw failure;
  }

  async flushAll(): Promise<void> {
    await this.#cli.flushall();
  }

  async forgetScripts(): Promise<void> {
    await this.#cli.script('FLUSH');
  }

  /** Takes the entry or only its members, unless a fence keeps both. */
  async evict(partition: number, entry: { view: string; key: string }, whole: boolean): Promise<void> {
    const [name = '', members = ''] = redisKeys(this.#held.installation).entries(partition, [entry]);
    if (!(await this.#cli.hexists(name, 'f'))) await this.#cli.del(whole ? name : members);
  }

  async versionAt(partition: number, name: string): Promise<string | undefined> {
    const keys = redisKeys(this.#held.installation);
    const [generation, version, fences] = await this.#cli.hmget(`${keys.tag(partition)}e:${name}`, 'g', 'v', 'f');
    const [incarnation, ours] = await this.#cli.hmget(keys.meta(partition), 'i', 'g');
    const life = /master_replid:(\w+)/.exec(await this.#cli.info('replication'))?.[1];
    if (!version || fences || generation !== ours || incarnation !== life) return undefined;
    return String(BigInt(version));
  }

  close(): void {
    this.#cli.disconnect();
    this.#servers.close();
  }
}

/** KEYS: fence index, entry and members of each. ARGV: ms. */
const ELAPSE = `
local ms = tonumber(ARGV[1])
local function earlier(at) return string.format('%.0f', at - ms) end
for i = 1, #KEYS, 3 do
  local entry = KEYS[i + 1]
  local e = redis.call('HMGET', entry, 'f', 'x', 's')
  if e[1] then
    redis.call('HSET', entry, 'f', (string.gsub(e[1], ':(%d+)', function(at) return ':' .. earlier(at) end)))
  end
  if e[2] then redis.call('HSET', entry, 'x', earlier(e[2])) end
  if e[3] then redis.call('HSET', entry, 's', earlier(e[3])) end
  for _, key in ipairs({ entry, KEYS[i + 2] }) do
    local ttl = redis.call('PTTL', key)
    if ttl > 0 then redis.call('PEXPIRE', key, math.max(1, ttl - ms)) end
  end
  local at = redis.call('ZSCORE', KEYS[i], entry)
  if at then redis.call('ZADD', KEYS[i], earlier(at), entry) end
end`;
