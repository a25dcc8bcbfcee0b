// Rare combinations, each of them the interleaving that some clause of the protocol is there for. Some schedules meet one,
// with everything else that may go wrong as it is.
import { barrier } from './editor.js';
import { type Faults, fate } from './faults.js';
import { type Gateway, read } from './gateway.js';
import { type Execute, immediately } from './network.js';
import { party } from './scheduler.js';
import { Ticket } from './servers.js';
import type { Entry } from './views.js';
import { write } from './write.js';

/** What a storm does at the moments of a write; each may hold the writer up. */
export interface Storm {
  readonly fenced?: (writer: Gateway, roots: readonly Entry[]) => Promise<number | undefined>;
  readonly committed?: (writer: Gateway, roots: readonly Entry[]) => number | undefined;
  readonly answered?: (writer: Gateway, roots: readonly Entry[]) => void;
}

/** Comes over a schedule when its clients begin. */
export type Weather = (faults: Faults) => Storm;

/** Long enough for a lease to end and for what comes after it. */
export const STORM_MS = 11_000;

const others = ({ gateways }: Faults, than: Gateway) => gateways.filter((each) => each !== than && each.party.alive);

function readsAt(faults: Faults, gateway: Gateway, roots: readonly Entry[], fromMs: number, toMs: number): void {
  const { scheduler, dice } = faults.world;
  const look = () => void read(faults.world, gateway, dice.pick(roots)).catch(scheduler.fail);
  scheduler.after(dice.between(fromMs, toMs), gateway.party, '', look);
}

/**
 * A fence is confirmed; then Redis fails over to a replica that never had it, its gateway reaches no Redis any more, and the
 * others have trusted the new master before it commits. The relay comes late.
 */
const unconfirmed: Weather = (faults) => {
  const { world, sites } = faults;
  const { network, scheduler, dice, checker } = world;
  network.weather.pace = 100;
  let struck = false;
  const fenced = async (writer: Gateway, roots: readonly Entry[]) => {
    if (struck || others(faults, writer).length === 0) return undefined;
    struck = true;
    const heldUpMs = dice.between(1_500, 4_500);
    checker.disturbances++;
    for (const site of sites) {
      network.cut(writer.party, site.server, scheduler.nowMs + STORM_MS);
      await site.failOver([], scheduler.nowMs);
    }
    for (const other of others(faults, writer))
      for (let left = 6; left > 0; left--) readsAt(faults, other, roots, 0, heldUpMs);
    return heldUpMs;
  };
  const answered = (writer: Gateway, roots: readonly Entry[]) => {
    for (const other of others(faults, writer)) readsAt(faults, other, roots, 0.1, 50);
  };
  return { fenced, answered };
};

/** A writer is held up between fence and COMMIT until sweeps have passed; one gateway reads SQL meanwhile. */
const swept: Weather = (faults) => {
  const { network, scheduler, dice } = faults.world;
  network.weather.pace = 2;
  let lonely: Gateway | undefined;
  const fenced = async (writer: Gateway, roots: readonly Entry[]) => {
    if (lonely || others(faults, writer).length === 0) return undefined;
    lonely = dice.pick(others(faults, writer));
    for (const site of faults.sites) network.cut(lonely.party, site.server, scheduler.nowMs + STORM_MS);
    const heldUpMs = dice.between(5_100, 7_000);
    for (let left = 12; left > 0; left--) readsAt(faults, dice.pick(others(faults, lonely)), roots, 1_000, heldUpMs);
    return heldUpMs;
  };
  const committed = (writer: Gateway, roots: readonly Entry[]) => {
    if (!lonely) return undefined;
    readsAt(faults, lonely, roots, 0.1, 50);
    for (let left = 4; left > 0; left--) readsAt(faults, writer, roots, 60, 400);
    return 450;
  };
  return { fenced, committed };
};

/** A write is held up between COMMIT and publish; another one of the same entries overtakes it. One gateway reads SQL. */
const overtaken: Weather = (faults) => {
  const { world } = faults;
  const { network, scheduler, dice } = world;
  network.weather.pace = 100;
  let lonely: Gateway | undefined;
  let first: Gateway | undefined;
  const committed = (writer: Gateway, roots: readonly Entry[]) => {
    const near = others(faults, writer);
    if (!first && near.length > 0) {
      first = writer;
      const second = dice.pick([writer, ...near]);
      lonely = near.find((each) => each !== second) ?? near[0];
      if (lonely) for (const { server } of faults.sites) network.cut(lonely.party, server, scheduler.nowMs + STORM_MS);
      scheduler.after(
        dice.between(0, 5),
        second.party,
        '',
        () => void write(world, second, roots).catch(scheduler.fail),
      );
      return dice.between(30, 300);
    }
    if (!lonely) return undefined;
    readsAt(faults, lonely, roots, 0.1, 40);
    for (let left = 4; left > 0; left--) readsAt(faults, writer, roots, 60, 400);
    return 450;
  };
  return { committed };
};

/**
 * Redis fails over; one gateway stays with the old master, and hears late whatever Postgres answers. The others go on
 * writing as soon as they may.
 */
const lateAdoption: Weather = (faults) => {
  const { world, sites, gateways } = faults;
  const { network, scheduler, dice, checker, entries } = world;
  network.weather.pace = 100;
  const lonely = dice.pick(gateways);
  const lateMs = dice.between(300, 1_900);
  const untilMs = scheduler.nowMs + STORM_MS;
  network.slow(lonely.party, 'renew', lateMs, untilMs);
  for (let at = 0; at < 80; at++) readsAt(faults, lonely, entries, 0, 6_000);
  scheduler.after(dice.between(0, 2_000), fate, 'failover', async () => {
    checker.disturbances++;
    for (const site of sites) await site.failOver([lonely.party], untilMs);
    for (const other of others(faults, lonely)) {
      for (let at = 0; at < 20; at++) {
        const act = () => void write(world, other).catch(scheduler.fail);
        scheduler.after(dice.between(0, 4_000), other.party, '', act);
        readsAt(faults, other, entries, 0, 1_000);
      }
    }
  });
  return { answered: (_, roots) => readsAt(faults, lonely, roots, 0.01, 5) };
};

/** Redis fails over to a replica that is behind; what is to be dropped from it does not arrive there. */
const lostDrops: Weather = (faults) => {
  const { world, sites, gateways } = faults;
  const { network, scheduler, dice, checker, entries } = world;
  network.weather.pace = 100;
  for (const gateway of gateways) {
    const act = () => void write(world, gateway).catch(scheduler.fail);
    for (let left = 3; left > 0; left--) scheduler.after(dice.between(0, 1_000), gateway.party, '', act);
    for (let left = 20; left > 0; left--) readsAt(faults, gateway, entries, 0, 5_000);
  }
  scheduler.after(dice.between(1_000, 2_000), fate, 'failover', async () => {
    checker.disturbances++;
    network.lose('drop', scheduler.nowMs + 4_000);
    for (const site of sites) await site.failOver([], scheduler.nowMs);
  });
  return {};
};

/**
 * Postgres crashes between two looks of the relay, the first of which saw an id that nothing on disk shows. A hand's edit gets
 * that id, and commits after the second.
 */
const reusedId: Weather = (faults) => {
  const { world, sql } = faults;
  const { network, scheduler, dice, checker, entries } = world;
  if (!sql.crash || !sql.burn) return {};
  network.weather.pace = dice.between(4, 30);
  const leader = faults.gateways[0];
  if (!leader) return {};
  world.leader = leader.id;
  const psql = party('psql');
  const ticket = new Ticket(world.nextTicket(), psql);
  const entry = dice.pick(entries);
  const asked = <Reply>(execute: Execute<Reply>) => immediately(execute);
  const onLook = (act: () => void) => network.holdUp(leader.party, 'changes since', 0.3, act);
  const after = (ms: number, act: () => void | Promise<void>) => scheduler.after(ms, fate, '', act);
  /** Not awaited by the schedule: locks may be held; and Postgres may have ended the transaction. */
  const apart = (act: () => Promise<void>) => () => void act().catch(() => {});
  const begin = async () => {
    sql.server.down = false;
    await asked(sql.lock(ticket, [entry]));
    await asked(sql.change(ticket, [{ ...entry, number: world.nextNumber() }]));
    await sql.burn?.(dice.whole(0, 60));
    await sql.flush();
    onLook(() => after(dice.between(1, 30), apart(commit)));
    for (let ms = 1; ms < 2_000; ms += 10) after(ms, () => (ticket.state === 'running' ? sql.burn?.(1) : undefined));
  };
  const commit = async () => {
    await asked(sql.commit(ticket));
    const passed = await barrier(world, psql).catch(() => false);
    if (!passed) return;
    for (const { view, key, version } of ticket.changed) checker.acknowledge(`${view}:${key}`, version);
    for (const gateway of faults.gateways) readsAt(faults, gateway, [entry], 0.1, 20);
  };
  const crash = async () => {
    scheduler.note('fate', 'crash of postgres');
    await sql.crash?.();
    network.reset(sql.server);
    sql.server.down = true;
    after(1, apart(begin));
  };
  after(dice.between(500, 3_000), () => {
    onLook(() => after(dice.between(1, 20), crash));
    for (let ms = 0; ms < 1_500; ms += 100) after(ms, () => (ticket.state === 'unborn' ? sql.burn?.(1) : undefined));
  });
  return {};
};

export const STORMS: Readonly<Record<string, Weather>> = {
  unconfirmed,
  swept,
  overtaken,
  lateAdoption,
  lostDrops,
  reusedId,
};
