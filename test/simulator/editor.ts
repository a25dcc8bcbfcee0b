// Somebody with psql: changes rows without fences, in transactions that stay open for as long as it pleases, and waits for
// the barrier before relying on what the gateways answer.
import type { World } from './gateway.js';
import { ask, SqlLost } from './links.js';
import { type Party, party } from './scheduler.js';
import { Ticket } from './servers.js';
import { nameOf } from './views.js';

const BARRIER_MS = 5_000;
const PAUSE_MS = 150;

/** Edits entries now and then, with pauses of at most `pauseMs`; each edit that a barrier confirms is acknowledged. */
export async function runEditor(world: World, edits: number, pauseMs = Number.POSITIVE_INFINITY): Promise<void> {
  const { scheduler, dice, endMs } = world;
  const psql = party('psql');
  for (let at = 0; at < edits; at++) {
    await scheduler.sleep(dice.magnitude(0.1, Math.max(1, Math.min(pauseMs, endMs - scheduler.nowMs))), psql, '');
    if (scheduler.nowMs >= endMs) return;
    try {
      // Transactions that are rolled back use up ids, of which nothing need be on disk.
      for (let left = dice.chance(0.3) ? dice.whole(1, 6) : 0; left > 0; left--) await edit(world, psql, 'roll back');
      await edit(world, psql, 'commit');
    } catch (error) {
      if (!(error instanceof SqlLost)) throw error;
    }
  }
}

async function edit(world: World, psql: Party, end: 'commit' | 'roll back'): Promise<void> {
  const { scheduler, dice, network, sql, checker, entries } = world;
  const entry = dice.pick(entries);
  const ticket = new Ticket(world.nextTicket(), psql);
  if (scheduler.tracing) scheduler.note(psql.name, `edits ${nameOf(entry)} (transaction ${ticket.number})`);
  const asked = <Reply>(label: string, execute: Parameters<typeof ask<Reply>>[4]) =>
    ask(network, psql, sql, label, execute);
  try {
    await asked(`lock ${nameOf(entry)} (${ticket.number})`, sql.lock(ticket, [entry]));
    await asked(
      `change (${ticket.number})`,
      sql.change(ticket, [{ ...entry, number: dice.chance(0.1) ? null : world.nextNumber() }]),
    );
    if (end === 'roll back') return await asked(`ROLLBACK (${ticket.number})`, sql.rollback(ticket));
    if (dice.chance(0.3)) await scheduler.sleep(dice.magnitude(1, 2_000), psql, '');
    await asked(`COMMIT (${ticket.number})`, sql.commit(ticket));
  } catch (error) {
    const rollback = sql.rollback(ticket);
    scheduler.after(dice.magnitude(0.1, 500), sql.server.party, `rollback (${ticket.number})`, () =>
      rollback(
        () => {},
        () => {},
      ),
    );
    throw error;
  }
  world.provoke(ticket.changed);
  if (await barrier(world, psql)) {
    if (scheduler.tracing) scheduler.note(psql.name, `passes the barrier (${ticket.number})`);
    for (const { view, key, version } of ticket.changed) checker.acknowledge(`${view}:${key}`, version);
    world.provoke(ticket.changed);
  }
}

/** Whether every partition has covered what is committed now, in time. */
export async function barrier({ scheduler, network, sql }: World, psql: Party): Promise<boolean> {
  const deadlineMs = scheduler.nowMs + BARRIER_MS;
  const snapshot = await ask(network, psql, sql, 'barrier', sql.barrier());
  try {
    while (scheduler.nowMs < deadlineMs) {
      if (await ask(network, psql, sql, 'is covered', sql.isCovered(snapshot))) return true;
      await scheduler.sleep(PAUSE_MS, psql, '');
    }
    return false;
  } finally {
    await ask(network, psql, sql, 'end of barrier', sql.endBarrier());
  }
}
