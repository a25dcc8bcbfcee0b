// One schedule, drawn from a seed: gateways, clients, an editor with psql, and a fate that lets things go
// wrong; then quiet, in which everything must come right.
import type { Loaded } from '../../src/cache/view.js';
import { prepare } from './before.js';
import { Checker, type Violation } from './checker.js';
import { Dice } from './dice.js';
import { runEditor } from './editor.js';
import { type Faults, fate, heal, planFaults } from './faults.js';
import { type Gateway, isRefusal, read, runReader, runWriter, startGateway, type World } from './gateway.js';
import { Network, type Weather } from './network.js';
import { Scheduler } from './scheduler.js';
import type { Ticket, Tier, Wanted } from './servers.js';
import { STORM_MS, STORMS } from './storms.js';
import { type Entry, nameOf, placeOf } from './views.js';
import { leave } from './write.js';

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly reads: number;
  readonly acknowledgements: number;
  readonly commits: number;
  readonly steps: number;
  readonly faults: Readonly<Record<string, number>>;
}

const ENTRIES: readonly Entry[] = [
  { view: 'note', key: 'a' },
  { view: 'board', key: 'b' },
  { view: 'note', key: 'c' },
];

const CALM: Weather = { loss: 0, duplication: 0, slow: 0, stuck: 0, oversleep: 0, pace: 6 };

/** Shares of schedules. */
const STORMY = 0.03;
const ANSWERING = 0.3;

/** After this long without a fault every gateway trusts its store, and every relay has carried everything over. */
const QUIET_MS = 30_000;
const CARRIED_MS = 15_000;
/** Longer than a statement that was lost is waited for, and than a lease: until then what a relay says may be old. */
const SETTLED_MS = 9_000;

export interface ScheduleOptions {
  readonly tier: Tier;
  readonly seed: number;
  /** Comes over this schedule, whatever its seed draws. */
  readonly storm?: string | undefined;
  /** Readers answer again what they have read, where it stands, whatever the seed draws. */
  readonly answers?: boolean | undefined;
  /** The interleaving is added to it. */
  readonly trace?: string[] | undefined;
}

/** Runs the schedule of `seed`. */
export async function runSchedule({
  tier,
  seed,
  storm,
  answers: always = false,
  trace,
}: ScheduleOptions): Promise<Outcome> {
  const dice = new Dice(seed);
  const scheduler = new Scheduler(trace);
  const checker = new Checker();
  const faultCount = dice.whole(0, 3);
  const network = new Network(scheduler, dice, { ...CALM });
  const answers = dice.chance(ANSWERING) || always;
  if (answers) network.count('answers given again');
  const entries = dice.pick([ENTRIES.slice(0, 1), ENTRIES.slice(1, 2), ENTRIES.slice(0, 2), ENTRIES]);
  const partitions = dice.chance(0.7) ? 1 : 2;
  const committed = (ticket: Ticket) => {
    for (const { view, key, version, loaded } of ticket.changed) {
      const name = `${view}:${key}`;
      if (scheduler.tracing) scheduler.note('postgres', `commits ${name}@${version} (${ticket.number})`);
      checker.committed(name, { version, value: shownOf(loaded), fencedAt: ticket.fenced.get(name) });
    }
  };
  const incarnations = new Map<number, string>();
  const opened: Wanted['opened'] = ({ partition, incarnation }) => {
    const before = incarnations.get(partition);
    incarnations.set(partition, incarnation);
    // Fences that stand in the last store are not in this one.
    if (before !== undefined && before !== incarnation) checker.disturbances++;
  };
  const servers = await tier({
    scheduler,
    dice,
    entries,
    partitions,
    sites: partitions === 2 && dice.chance(0.5) ? 2 : 1,
    committed,
    opened,
  });
  const { sites, sql } = servers;
  let number = 0;
  let provoke: World['provoke'] = () => {};
  let tickets = 0;
  const world: World = {
    scheduler,
    dice,
    network,
    checker,
    sql,
    sites,
    partitions,
    entries,
    endMs: 0,
    leader: undefined,
    storm: {},
    answers,
    nextNumber: () => ++number,
    nextTicket: () => ++tickets,
    provoke: (touched, forMs, by) => provoke(touched, forMs, by),
  };
  await prepare(world, servers);

  const gateways: Gateway[] = [];
  const start = () => {
    const gateway = startGateway(world, `g${gateways.length + 1}`);
    gateways.push(gateway);
    return gateway;
  };
  const attend = (gateway: Gateway) => {
    if (scheduler.nowMs >= world.endMs) return;
    for (let left = dice.whole(1, 2); left > 0; left--) {
      runReader(world, gateway, dice.whole(1, 5)).catch(scheduler.fail);
    }
    if (dice.chance(0.8)) runWriter(world, gateway, dice.whole(1, 3)).catch(scheduler.fail);
  };
  const kill = ({ party: dead }: Gateway) => {
    dead.alive = false;
    for (const ticket of sql.runningOf(dead)) leave(world, ticket);
  };
  const faults: Faults = { world, sites, sql, gateways, focus: undefined, start: () => attend(start()), kill };
  for (let left = dice.whole(2, 3); left > 0; left--) start();
  const failed = () => checker.violations.length > 0;
  // Mostly, trouble finds a system at work.
  const readyMs = dice.chance(0.9) ? 400 : 0;
  const trusted = () => gateways.every(({ cache }) => cache.status().trusted);
  await scheduler.run(() => scheduler.nowMs > readyMs || trusted());
  network.weather = drawWeather(dice);
  world.endMs = scheduler.nowMs + dice.pick([60, 200, 500, 1_500, 4_000, 8_000]);
  const drawn = dice.chance(STORMY) ? dice.pick(Object.keys(STORMS)) : undefined;
  if (storm !== undefined && !STORMS[storm])
    throw new Error(`There is no storm ${storm}; there are ${Object.keys(STORMS).join(', ')}.`);
  const weather = STORMS[storm ?? drawn ?? ''];
  if (weather) {
    network.count(`storm ${storm ?? drawn}`);
    world.endMs = scheduler.nowMs + STORM_MS;
    world.storm = weather(faults);
  }
  network.endMs = world.endMs;
  for (const gateway of gateways) attend(gateway);
  if (dice.chance(0.4)) runEditor(world, dice.whole(1, 3)).catch(scheduler.fail);
  const strike = planFaults(faults, faultCount);
  provoke = (touched, forMs = 0, by?: Gateway) => {
    if (scheduler.nowMs > world.endMs || touched.length === 0) return;
    strike(forMs > 0 ? 0.6 : 0.15, by);
    const { view, key } = dice.pick(touched);
    const entry = entries.find((each) => each.view === view && each.key === key);
    if (!entry) return;
    for (let left = dice.whole(0, forMs > 0 ? 4 : 2); left > 0; left--) {
      const gateway = dice.pick(gateways);
      const look = () => void read(world, gateway, entry).catch(scheduler.fail);
      const shortly = dice.magnitude(0.01, dice.chance(0.7) ? 5 : 3_000);
      scheduler.after(forMs > 0 ? dice.between(0, forMs) : shortly, gateway.party, '', look);
    }
  };
  await scheduler.run(() => scheduler.nowMs > world.endMs || failed());
  if (!failed() && dice.chance(0.2)) await quiet(world, faults, failed);
  await servers.close();
  const { violations, reads, acknowledgements, commits } = checker;
  return { violations, reads, acknowledgements, commits, steps: scheduler.steps, faults: network.faults };
}

/** As a reader sees it. */
const shownOf = ({ value, members }: Pick<Loaded, 'value' | 'members'>) =>
  members ? `${members[1]}/${members[3]}` : value;

function drawWeather(dice: Dice): Weather {
  const rough = dice.chance(0.6);
  return {
    loss: rough && dice.chance(0.5) ? dice.magnitude(0.002, 0.05) : 0,
    duplication: rough && dice.chance(0.3) ? 0.02 : 0,
    slow: dice.magnitude(0.005, 0.3),
    stuck: dice.magnitude(0.001, 0.04),
    oversleep: dice.magnitude(0.005, 0.2),
    pace: dice.magnitude(2, 100),
  };
}

/** Faults have ended: waits until everything should have come right, and looks whether it has. */
async function quiet(world: World, faults: Faults, failed: () => boolean): Promise<void> {
  const { scheduler, checker, entries, partitions } = world;
  const { sites, sql } = faults;
  await heal(faults);
  scheduler.note('fate', 'all is quiet');
  if (!faults.gateways.some(({ party }) => party.alive)) faults.start();
  const living = () => faults.gateways.filter(({ party }) => party.alive);
  const until = async (untilMs: number, over: () => boolean) => {
    scheduler.after(untilMs - scheduler.nowMs, fate, '', () => {});
    await scheduler.run(() => scheduler.nowMs >= untilMs || over() || failed());
  };
  await until(scheduler.nowMs + QUIET_MS, () => living().every(({ cache }) => cache.status().trusted));
  for (const { cache, id } of living()) if (!cache.status().trusted) checker.stuck(id);
  await until(scheduler.nowMs + SETTLED_MS, () => false);
  const trustedMs = scheduler.nowMs;
  const { commits } = checker;
  const lookedSince = ({ cache }: Gateway) => cache.status().relayLagMs < scheduler.nowMs - trustedMs;
  await until(scheduler.nowMs + CARRIED_MS, () => living().every(lookedSince));
  for (const gateway of living()) if (!lookedSince(gateway)) checker.stuck(gateway.id);
  let reading = living().length * entries.length;
  for (const gateway of living()) {
    for (const entry of entries) {
      read(world, gateway, entry).then(
        () => reading--,
        (error) => (isRefusal(error) ? undefined : scheduler.fail(error)),
      );
    }
  }
  await until(scheduler.nowMs + QUIET_MS, () => reading === 0);
  // What was on its way for long may have been committed only now.
  if (failed() || checker.commits > commits) return;
  for (const entry of entries) {
    const name = nameOf(entry);
    checker.endsWith(name, await sql.versionOf(entry.view, entry.key));
    const partition = placeOf(entry.view, entry.key, partitions);
    const held = await sites[partition % sites.length]?.versionAt(partition, name);
    if (held) checker.holds(name, held);
  }
}
