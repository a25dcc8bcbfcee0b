// One gateway's process in a schedule: the real engine over simulated links, with clients that read and write through it.
import { Cache } from '../../src/cache/cache.js';
import type { Clock } from '../../src/cache/clock.js';
import { CacheUnavailable, Overloaded } from '../../src/cache/errors.js';
import type { Ground } from '../../src/cache/standing.js';
import type { Checker } from './checker.js';
import type { Dice } from './dice.js';
import { ask, changeLogOf, SqlLost, storeOf } from './links.js';
import type { Network } from './network.js';
import { type Party, party, type Scheduler } from './scheduler.js';
import type { RedisSite, SqlServer } from './servers.js';
import type { Storm } from './storms.js';
import { boardView, type Entry, nameOf, noteView, type Source, views } from './views.js';
import { write } from './write.js';

/** What all parties of a schedule share. */
export interface World {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly network: Network;
  readonly checker: Checker;
  readonly sql: SqlServer;
  readonly sites: readonly RedisSite[];
  readonly partitions: number;
  readonly entries: readonly Entry[];
  /** Clients begin nothing new after this. */
  endMs: number;
  /** The one gateway whose relay leads, where it is always the same. */
  leader: string | undefined;
  storm: Storm;
  /** Whether readers answer again what they have read, where it stands. */
  readonly answers: boolean;
  /** A number that no other write has. */
  readonly nextNumber: () => number;
  readonly nextTicket: () => number;
  /** Called where something is under way, for as long: lets a fault strike, and others read one of the entries. */
  readonly provoke: (entries: readonly { view: string; key: string }[], forMs?: number, by?: Gateway) => void;
}

export interface Gateway {
  readonly party: Party;
  readonly id: string;
  readonly cache: Cache<Source>;
  /** The latest answer that was read of each entry, where it may be given again. */
  readonly answers: Map<string, Answer>;
}

interface Answer {
  readonly grounds: readonly Ground[];
  readonly version: string;
  readonly value: string | null;
}

/** Starts a gateway and its clients. */
export function startGateway(world: World, name: string): Gateway {
  const { scheduler, dice, network, sql, sites, partitions } = world;
  const self = party(name);
  const startedMs = scheduler.nowMs - dice.between(0, 1e6);
  const clock: Clock = {
    nowMs: () => scheduler.nowMs - startedMs,
    sleep: (ms) => scheduler.sleep(network.sleepMs(ms), self, ''),
    defer: (act) => scheduler.after(0, self, '', act),
  };
  const cache = new Cache<Source>({
    store: storeOf(network, self, sites),
    changeLog: changeLogOf(network, self, sql, name),
    source: (view, keys) => ask(network, self, sql, `load ${view} ${keys}`, sql.load(view, keys)),
    views,
    partitions,
    clock,
    random: dice.next,
    leads: async () => scheduler.nowMs > world.endMs || (world.leader ? world.leader === name : dice.chance(0.8)),
  });
  cache.events.on((event) => {
    if ((event.kind === 'fence' || event.kind === 'published') && dice.chance(0.3)) world.provoke([event]);
    if (event.kind === 'loaded' && dice.chance(0.2))
      world.provoke(event.keys.map((key) => ({ view: event.view, key })));
  });
  if (scheduler.tracing) cache.events.on((event) => scheduler.note(name, `  * ${told(event)}`));
  const gateway: Gateway = { party: self, id: name, cache, answers: new Map() };
  void cache.start(dice.magnitude(1, 5_000)).catch(scheduler.fail);
  return gateway;
}

const told = (event: object): string =>
  Object.values(event)
    .map((value) => (value instanceof Error ? value.message : typeof value === 'number' ? '' : String(value)))
    .filter((word) => word !== '')
    .join(' ');

/** Reads one entry now and then. */
export async function runReader(world: World, gateway: Gateway, reads: number): Promise<void> {
  const { scheduler, dice, endMs } = world;
  const pauseMs = (endMs - scheduler.nowMs) / (reads + 1);
  for (let at = 0; at < reads; at++) {
    // Several at once, or a pause of any length.
    if (!dice.chance(0.3)) await scheduler.sleep(dice.magnitude(0.05, Math.max(1, 4 * pauseMs)), gateway.party, '');
    if (scheduler.nowMs >= endMs) return;
    await read(world, gateway, dice.pick(world.entries));
  }
}

/** What a client is told to try again. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof SqlLost || error instanceof CacheUnavailable || error instanceof Overloaded;

/** One read, checked. */
export async function read(
  { scheduler, checker, answers: repeats }: World,
  { party: self, cache, answers }: Gateway,
  entry: Entry,
): Promise<void> {
  const request = cache.request();
  const reading = checker.beginRead(nameOf(entry));
  if (scheduler.tracing) scheduler.note(self.name, `reads ${nameOf(entry)}`);
  const before = repeats ? answers.get(nameOf(entry)) : undefined;
  if (before && (await cache.stand(before.grounds))) {
    if (scheduler.tracing) scheduler.note(self.name, `answers ${nameOf(entry)}@${before.version} again`);
    checker.endRead(reading, before.version, before.value);
    return;
  }
  let value: string | null = null;
  try {
    if (entry.view === 'note') {
      const found = await request.read(noteView, entry.key);
      if (found.kind === 'present') value = String(found.value);
    } else {
      const found = await request.readFields(boardView, entry.key, ['even', 'odd']);
      if (found.kind === 'present') value = `${found.fields.get('even')}/${found.fields.get('odd')}`;
    }
  } catch (error) {
    if (isRefusal(error)) return;
    throw error;
  }
  const [trace] = request.trace;
  if (scheduler.tracing) scheduler.note(self.name, `has read ${nameOf(entry)}@${trace?.version} (${trace?.outcome})`);
  const version = trace?.version ?? '0';
  checker.endRead(reading, version, value);
  if (!repeats) return;
  void Promise.resolve(request.grounds).then((grounds) => {
    if (grounds && grounds.length > 0) answers.set(nameOf(entry), { grounds, version, value });
  });
}

/** Writes one entry or two now and then. */
export async function runWriter(world: World, gateway: Gateway, writes: number): Promise<void> {
  const { scheduler, dice, endMs } = world;
  const pauseMs = (endMs - scheduler.nowMs) / (writes + 1);
  for (let at = 0; at < writes; at++) {
    await scheduler.sleep(dice.magnitude(0.05, Math.max(1, 4 * pauseMs)), gateway.party, '');
    if (scheduler.nowMs >= endMs) return;
    await write(world, gateway);
  }
}
