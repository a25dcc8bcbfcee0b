// What goes wrong in a schedule, besides its messages: processes stop, die and start again, servers lose what they held.
import { runEditor } from './editor.js';
import type { Gateway, World } from './gateway.js';
import { party } from './scheduler.js';
import type { Awaitable, Site, Sql } from './servers.js';

export interface Faults {
  readonly world: World;
  readonly sites: readonly Site[];
  readonly sql: Sql;
  readonly gateways: Gateway[];
  /** Whose write is under way. */
  focus: Gateway | undefined;
  /** Ends a gateway's process, and begins another. */
  readonly kill: (gateway: Gateway) => void;
  readonly start: () => void;
}

export const fate = party('fate');

type Fault = (faults: Faults) => Awaitable<string | undefined>;

const living = ({ gateways }: Faults) => gateways.filter(({ party }) => party.alive);

const killGateway: Fault = (faults) => {
  const { scheduler, dice } = faults.world;
  const gateways = living(faults);
  if (gateways.length === 0) return undefined;
  const gateway = dice.pick(gateways);
  faults.kill(gateway);
  scheduler.after(dice.magnitude(1, 3_000), fate, 'starts a gateway', faults.start);
  return 'gateway killed';
};

const stopGateway: Fault = (faults) => {
  const { scheduler, dice } = faults.world;
  const gateways = living(faults);
  if (gateways.length === 0) return undefined;
  dice.pick(gateways).party.stoppedUntilMs = scheduler.nowMs + dice.magnitude(50, 8_000);
  return 'gateway stopped';
};

const stopRedis: Fault = ({ world: { scheduler, dice, network }, sites }) => {
  network.stop(dice.pick(sites).server, scheduler.nowMs + dice.magnitude(50, 8_000));
  return 'redis stopped';
};

const stopPostgres: Fault = ({ world: { scheduler, dice, network }, sql }) => {
  network.stop(sql.server, scheduler.nowMs + dice.magnitude(20, 2_000));
  return 'postgres stopped';
};

const cutRedis: Fault = (faults) => {
  const { scheduler, dice, network } = faults.world;
  const gateways = living(faults);
  if (gateways.length === 0) return undefined;
  network.cut(dice.pick(gateways).party, dice.pick(faults.sites).server, scheduler.nowMs + dice.magnitude(50, 8_000));
  return 'gateway cut off redis';
};

const cutPostgres: Fault = (faults) => {
  const { scheduler, dice, network } = faults.world;
  const gateways = living(faults);
  if (gateways.length === 0) return undefined;
  network.cut(dice.pick(gateways).party, faults.sql.server, scheduler.nowMs + dice.magnitude(50, 8_000));
  return 'gateway cut off postgres';
};

const failOver: Fault = async (faults) => {
  const { scheduler, dice, checker } = faults.world;
  const behind = dice.chance(0.5) ? living(faults).filter(() => dice.chance(0.5)) : [];
  checker.disturbances++;
  await dice.pick(faults.sites).failOver(
    behind.map(({ party }) => party),
    scheduler.nowMs + dice.magnitude(100, 10_000),
  );
  return behind.length > 0 ? 'failover, not heard of by all' : 'failover';
};

/** A gateway that trouble likes: one at work, if there is one. */
function victim(faults: Faults): Gateway | undefined {
  const { dice } = faults.world;
  const gateways = living(faults);
  const { focus } = faults;
  if (focus?.party.alive && dice.chance(0.7)) return focus;
  return gateways.length > 0 ? dice.pick(gateways) : undefined;
}

/** One gateway knows only the old master, and for some of that time does not hear what Postgres says of it. */
const leftBehind: Fault = async (faults) => {
  const { scheduler, dice, checker, network } = faults.world;
  const lonely = victim(faults)?.party;
  if (!lonely) return undefined;
  const untilMs = scheduler.nowMs + dice.between(1_000, 9_000);
  checker.disturbances++;
  network.cut(lonely, faults.sql.server, dice.chance(0.5) ? untilMs : dice.between(scheduler.nowMs, untilMs));
  await dice.pick(faults.sites).failOver([lonely], untilMs);
  return 'gateway left behind with an old master';
};

/** One gateway knows only the old master, and hears late what Postgres said just before, or just after, the failover. */
const lateLook: Fault = (faults) => {
  const { scheduler, dice, checker, network } = faults.world;
  const lonely = victim(faults)?.party;
  if (!lonely) return undefined;
  network.holdUp(lonely, 'renew', dice.between(500, 4_900), () => {
    const untilMs = scheduler.nowMs + 9_000;
    scheduler.after(dice.magnitude(0.01, 300), fate, 'failover', async () => {
      checker.disturbances++;
      await dice.pick(faults.sites).failOver([lonely], untilMs);
      // The next look is the late one, or comes before the failover is known and is the last one.
      if (dice.chance(0.5)) network.holdUp(lonely, 'renew', dice.between(500, 4_900), () => {});
      else network.cut(lonely, faults.sql.server, untilMs);
    });
  });
  return 'late look of a gateway with an old master';
};

const restore: Fault = async ({ world: { dice, checker }, sites }) => {
  checker.disturbances++;
  await dice.pick(sites).restart('dump');
  return 'redis restored from a dump';
};

const restartEmpty: Fault = async ({ world: { dice, checker }, sites }) => {
  checker.disturbances++;
  await dice.pick(sites).restart('empty');
  return 'redis restarted empty';
};

const flushAll: Fault = async ({ world: { dice, checker }, sites }) => {
  checker.disturbances++;
  await dice.pick(sites).flushAll();
  return 'flushall';
};

const evict: Fault = async ({ world: { dice, entries, partitions }, sites }) => {
  const { view, key } = dice.pick(entries);
  for (const site of sites) for (let at = 0; at < partitions; at++) await site.evict(at, { view, key });
  return 'eviction';
};

const crashPostgres: Fault = async ({ world, sql }) => {
  const { network, scheduler, dice, endMs } = world;
  if (!sql.crash) return undefined;
  const crash = async () => {
    if (scheduler.nowMs > endMs) return;
    await sql.crash?.();
    network.reset(sql.server);
    sql.server.down = true;
    scheduler.after(dice.magnitude(1, 1_500), fate, 'postgres is back', () => {
      sql.server.down = false;
      if (dice.chance(0.5)) runEditor(world, 2, 300).catch(scheduler.fail);
    });
  };
  // Some of the ids that are given out again were used, and seen by others, just before.
  const burnt = dice.chance(0.7) ? dice.whole(1, 8) : 0;
  await sql.burn?.(burnt);
  if (burnt > 0) scheduler.after(dice.magnitude(1, 700), fate, 'crash of postgres', crash);
  else await crash();
  return 'postgres crashed';
};

const FAULTS: readonly Fault[] = [
  killGateway,
  stopGateway,
  stopRedis,
  stopPostgres,
  cutRedis,
  cutPostgres,
  failOver,
  leftBehind,
  lateLook,
  restore,
  restartEmpty,
  flushAll,
  evict,
  crashPostgres,
];

/**
 * Draws what goes wrong: some of it at any time, the rest when the function that is given back is called, which is where
 * something is under way.
 */
export function planFaults(faults: Faults, count: number): (share: number, focus?: Gateway) => void {
  const { scheduler, dice, network, endMs } = faults.world;
  // Many schedules concern few kinds of fault, again and again.
  const kinds = dice.chance(0.6) ? [dice.pick(FAULTS), dice.pick(FAULTS)] : FAULTS;
  let left = count;
  const strike = async () => {
    if (left-- <= 0 || scheduler.nowMs > endMs) return;
    const told = await dice.pick(kinds)(faults);
    if (told === undefined) return;
    network.count(told);
    if (scheduler.tracing) scheduler.note('fate', told);
  };
  for (let at = dice.whole(0, count); at > 0; at--)
    scheduler.after(dice.between(0, endMs - scheduler.nowMs), fate, '', strike);
  for (let at = dice.whole(0, 5); at > 0; at--)
    scheduler.after(dice.between(0, endMs - scheduler.nowMs), fate, 'evicts', async () => void (await evict(faults)));
  for (const site of faults.sites) {
    for (let left = dice.whole(0, 4); left > 0; left--) {
      const act = () => (dice.chance(0.6) ? site.replicate() : site.save());
      scheduler.after(dice.between(0, endMs - scheduler.nowMs), fate, 'copies redis', act);
    }
  }
  for (let left = dice.whole(0, 6); left > 0; left--) {
    scheduler.after(dice.between(0, endMs - scheduler.nowMs), fate, 'flushes wal', () => faults.sql.flush());
  }
  return (share, focus) => {
    faults.focus = focus;
    if (dice.chance(share)) scheduler.after(dice.magnitude(0.01, 30), fate, '', strike);
  };
}

/** Ends everything that is wrong. */
export async function heal({ world: { network, scheduler }, sites, sql, gateways }: Faults): Promise<void> {
  network.weather = { loss: 0, duplication: 0, slow: 0, stuck: 0, oversleep: 0, pace: 20 };
  network.mend();
  sql.server.down = false;
  for (const site of sites) site.heal();
  for (const each of [...sites.map(({ server }) => server.party), sql.server.party, ...gateways.map((g) => g.party)]) {
    each.stoppedUntilMs = Math.min(each.stoppedUntilMs, scheduler.nowMs);
  }
  await sql.flush();
}
