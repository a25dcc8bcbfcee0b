// The path of a write, as `src/resolvers/write.ts` walks it: roots locked, rows changed and read back, fenced, COMMIT,
// settled, acknowledged. A COMMIT without an answer is looked up; while that cannot be told, nothing is said.

import { CacheUnavailable } from '../../src/cache/errors.js';
import type { Committed, Fenced } from '../../src/cache/writer.js';
import type { Gateway, World } from './gateway.js';
import { ask, SqlLost } from './links.js';
import { type ChangedBack, Ticket } from './servers.js';
import { boardView, type Entry, nameOf, noteView } from './views.js';

const OUTCOME_DEADLINE_MS = 5_000;
const OUTCOME_PAUSE_MS = 200;

interface Prepared {
  readonly committed: readonly Committed[];
  readonly fenced: Fenced;
}

/** One write by a gateway: of these entries, or of one or two of all. */
export async function write(world: World, gateway: Gateway, these?: readonly Entry[]): Promise<void> {
  const { scheduler, dice } = world;
  const roots = these ?? rootsOf(world);
  const ticket = new Ticket(world.nextTicket(), gateway.party);
  if (scheduler.tracing)
    scheduler.note(gateway.party.name, `writes ${roots.map(nameOf)} (transaction ${ticket.number})`);
  const prepared = await prepare(world, gateway, ticket, roots);
  if (!prepared) return leave(world, ticket);
  world.provoke(roots, 0, gateway);
  // Between any two steps a process may be held up.
  const stormMs = await world.storm.fenced?.(gateway, roots);
  if (stormMs !== undefined) await scheduler.sleep(stormMs, gateway.party, '');
  else if (dice.chance(0.3)) {
    const heldUpMs = dice.chance(0.5) ? dice.magnitude(0.5, 400) : dice.between(400, 5_000);
    world.provoke(roots, heldUpMs, gateway);
    await scheduler.sleep(heldUpMs, gateway.party, '');
  }
  if (!(await commits(world, gateway, ticket))) {
    leave(world, ticket);
    const outcome = await outcomeOf(world, gateway, ticket);
    if (outcome === 'aborted') await gateway.cache.writer.lift(prepared.fenced);
    if (outcome !== 'committed') return;
  }
  world.provoke(roots);
  const pauseMs = world.storm.committed?.(gateway, roots) ?? (dice.chance(0.1) ? dice.magnitude(0.5, 2_000) : 0);
  if (pauseMs > 0) await scheduler.sleep(pauseMs, gateway.party, '');
  const visible = await gateway.cache.writer.settle(prepared.fenced, prepared.committed);
  if (scheduler.tracing) scheduler.note(gateway.party.name, `answers transaction ${ticket.number}: visible ${visible}`);
  if (!visible) return;
  for (const { view, key, version } of prepared.committed) world.checker.acknowledge(`${view}:${key}`, version);
  world.provoke(roots);
  world.storm.answered?.(gateway, roots);
}

function rootsOf({ dice, entries }: World): readonly Entry[] {
  const first = dice.pick(entries);
  const second = dice.chance(0.2) ? dice.pick(entries) : first;
  return first === second ? [first] : [first, second];
}

/** Everything before COMMIT, fences last; undefined where it did not come about. */
async function prepare(
  { network, sql, dice, nextNumber, checker }: World,
  { party: self, id, cache }: Gateway,
  ticket: Ticket,
  roots: readonly Entry[],
): Promise<Prepared | undefined> {
  const number = ticket.number;
  try {
    await ask(network, self, sql, `lock ${roots.map(nameOf)} (${number})`, sql.lock(ticket, roots));
    const changes = roots.map((root) => ({ ...root, number: dice.chance(0.1) ? null : nextNumber() }));
    const { xid, changed } = await ask(network, self, sql, `change (${number})`, sql.change(ticket, changes));
    const committed = changed.map((each) => committedForm(cache, each, dice.chance(0.6)));
    const { disturbances } = checker;
    const fenced = await cache.writer.fence(changed, xid, (partitions) =>
      ask(network, self, sql, `close ${partitions} (${number})`, sql.closeForWrite(ticket, partitions, id)),
    );
    for (const entry of fenced.entries) ticket.fenced.set(nameOf(entry), disturbances);
    return { committed, fenced };
  } catch (error) {
    if (error instanceof SqlLost || error instanceof CacheUnavailable) return undefined;
    throw error;
  }
}

function committedForm(cache: Gateway['cache'], changed: ChangedBack, whole: boolean): Committed {
  const { view, key, version, from, loaded, number } = changed;
  if (view === 'board' && !whole && number !== null) {
    const delta = { view, key, set: changedField(loaded.members ?? [], number), remove: [], count: 2 };
    return cache.patchForm(delta, boardView, { from, version, changedAtMs: 0 });
  }
  return { view, key, version, stored: cache.storedForm(view === 'note' ? noteView : boardView, loaded) };
}

/** Field and value that the write of `number` changed. */
const changedField = (members: readonly string[], number: number) =>
  number % 2 === 0 ? members.slice(0, 2) : members.slice(2);

/** False where Postgres did not say so. */
async function commits({ network, sql }: World, { party: self }: Gateway, ticket: Ticket): Promise<boolean> {
  try {
    await ask(network, self, sql, `COMMIT (${ticket.number})`, sql.commit(ticket));
    return true;
  } catch (error) {
    if (error instanceof SqlLost) return false;
    throw error;
  }
}

/** The server finds out by and by that nobody waits for this transaction any more. */
export function leave({ scheduler, dice, sql }: World, ticket: Ticket): void {
  const execute = sql.rollback(ticket);
  scheduler.after(dice.magnitude(0.1, 1_000), sql.server.party, `rollback (${ticket.number})`, () =>
    execute(
      () => {},
      () => {},
    ),
  );
}

async function outcomeOf(
  { scheduler, network, sql }: World,
  { party: self }: Gateway,
  ticket: Ticket,
): Promise<'committed' | 'aborted' | 'unknown'> {
  const deadlineMs = scheduler.nowMs + OUTCOME_DEADLINE_MS;
  while (scheduler.nowMs < deadlineMs) {
    try {
      const outcome = await ask(network, self, sql, `outcome (${ticket.number})`, sql.outcome(ticket));
      if (outcome !== 'in progress') return outcome;
    } catch (error) {
      if (!(error instanceof SqlLost)) throw error;
      return 'unknown';
    }
    await scheduler.sleep(OUTCOME_PAUSE_MS, self, '');
  }
  return 'unknown';
}
