// What a schedule finds: rows, partitions that are open, and entries that readers filled before.
import type { FillItem, Guard } from '../../src/cache/store.js';
import type { Shape } from '../../src/cache/view.js';
import type { World } from './gateway.js';
import { immediately } from './network.js';
import { party } from './scheduler.js';
import { type Servers, Ticket } from './servers.js';
import { type Entry, placeOf } from './views.js';

/** What was there before: rows, and, mostly, partitions that are open already. */
export async function prepare({ dice, entries, partitions, nextTicket, sql }: World, servers: Servers): Promise<void> {
  const { sites } = servers;
  const there = entries.filter(() => dice.chance(0.8));
  if (there.length > 0) {
    const ticket = new Ticket(nextTicket(), party('before'));
    await immediately(sql.lock(ticket, there));
    await immediately(
      sql.change(
        ticket,
        there.map((entry) => ({ ...entry, number: 0 })),
      ),
    );
    await immediately(sql.commit(ticket));
  }
  if (dice.chance(0.2)) return;
  for (let partition = 0; partition < partitions; partition++) {
    const site = sites[partition % sites.length];
    const [meta] = (await site?.master.meta([partition])) ?? [];
    if (!site || !meta?.incarnation) continue;
    const guard = { incarnation: meta.incarnation, epoch: '1', generation: '1' };
    await site.master.begin(partition, guard, await servers.sql.open(partition, guard));
    const held = entries.filter(({ view, key }) => placeOf(view, key, partitions) === partition);
    if (dice.chance(0.7)) await warm(servers, site, partition, guard, held);
  }
  for (const site of sites) await site.copy();
}

/** Fills entries as readers before the schedule did. */
async function warm(
  { sql }: Servers,
  { master }: Servers['sites'][number],
  partition: number,
  guard: Guard,
  entries: readonly Entry[],
): Promise<void> {
  const items = entries.map(({ view, key }) => ({ view, key, field: 'value@1', part: undefined, secret: 'warm' }));
  const [read] = await master.read([{ partition, guard, items }]);
  const values: FillItem[] = [];
  for (const [at, item] of items.entries()) {
    const lease = read?.kind === 'done' ? read.replies[at] : undefined;
    const token = lease?.kind === 'lease' ? lease.token : '';
    const shape: Shape = item.view === 'note' ? 'text' : 'hash';
    for (const loaded of await immediately(sql.load(item.view, [item.key])))
      values.push({ ...item, ...loaded, token, ttlMs: 3_600_000, shape });
  }
  await master.fill([{ partition, guard, items: values }]);
}
