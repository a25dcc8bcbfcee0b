// A gateway's ends of its links: the ports of the engine, over messages that the schedule moves.
import { CacheUnavailable } from '../../src/cache/errors.js';
import type { ChangeLog } from '../../src/cache/ports.js';
import type { Guarded, Meta, Store } from '../../src/cache/store.js';
import type { Execute, Failure, Network } from './network.js';
import type { Party } from './scheduler.js';
import type { Master, RedisSite, SqlServer } from './servers.js';

/** What a gateway of the simulator allows Redis, and Postgres. */
export const REDIS_TIMEOUT_MS = 150;
export const SQL_TIMEOUT_MS = 5_000;

/** Postgres was lost before it answered. */
export class SqlLost extends Error {
  readonly kind: Failure['kind'];
  constructor(failure: Failure) {
    super('Postgres did not answer.', failure.kind === 'refused' ? { cause: failure.error } : {});
    this.kind = failure.kind;
  }
}

/** Asks Postgres, from `from`. Rejects with `SqlLost`. */
export function ask<Reply>(
  network: Network,
  from: Party,
  sql: SqlServer,
  label: string,
  execute: Execute<Reply>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    network.send(from, sql.server, label, SQL_TIMEOUT_MS, execute, resolve, (failure) => reject(new SqlLost(failure)));
  });
}

/** The change log of gateway `me`. */
export function changeLogOf(network: Network, from: Party, sql: SqlServer, me: string): ChangeLog {
  const asked = <Reply>(label: string, execute: Execute<Reply>) => ask(network, from, sql, label, execute);
  return {
    partitions: () => asked('partitions', sql.partitions()),
    renew: (renewing) => asked('renew', sql.renew(me, renewing)),
    closeEpoch: (closing) => asked(`close epoch ${closing.epoch} of ${closing.partition}`, sql.closeEpoch(me, closing)),
    openEpoch: (opening) => asked(`open epoch ${opening.epoch} of ${opening.partition}`, sql.openEpoch(opening)),
    now: () => asked('now', sql.now()),
    changesSince: (cursor, partitions) => asked('changes since', sql.changesSince(cursor, partitions)),
    recordCovered: (partitions, cursor) => asked('record covered', sql.recordCovered(partitions, cursor)),
    ended: (xids) => asked('ended', sql.ended(xids)),
  };
}

/** The store as a gateway reaches it: partitions are spread over the sites. */
export function storeOf(network: Network, from: Party, sites: readonly RedisSite[]): Store {
  const siteOf = (partition: number): RedisSite => {
    const site = sites[partition % sites.length];
    if (!site) throw new Error('No Redis.');
    return site;
  };

  const send = <Reply>(
    site: RedisSite,
    label: string,
    act: (master: Master) => Reply | Promise<Reply>,
    succeed: (reply: Reply) => void,
    fail: (error: CacheUnavailable) => void,
  ) => {
    const execute: Execute<Reply> = (reply, refuse) => {
      const result = act(site.masterFor(from));
      return result instanceof Promise ? result.then(reply, refuse) : reply(result);
    };
    network.send(from, site.server, label, REDIS_TIMEOUT_MS, execute, succeed, ({ kind }) =>
      fail(new CacheUnavailable('Redis did not answer.', kind === 'timeout' ? 'timeout' : 'connection')),
    );
  };

  const one = <Reply>(partition: number, label: string, act: (master: Master) => Reply | Promise<Reply>) =>
    new Promise<Reply>((resolve, reject) => send(siteOf(partition), label, act, resolve, reject));

  /** One call per site, put together in the order of the items; `lost` stands for what a silent site did not say. */
  const spread = <Item, Reply>(
    items: readonly Item[],
    partitionOf: (item: Item) => number,
    label: string,
    act: (master: Master, items: readonly Item[]) => readonly Reply[] | Promise<readonly Reply[]>,
    lost: (error: CacheUnavailable) => Reply,
  ): Promise<Reply[]> =>
    new Promise((resolve) => {
      const replies = new Map<Item, Reply>();
      const groups = new Map<RedisSite, Item[]>();
      for (const item of items) {
        const site = siteOf(partitionOf(item));
        const group = groups.get(site);
        if (group) group.push(item);
        else groups.set(site, [item]);
      }
      let open = groups.size;
      const close = () => {
        if (--open <= 0) resolve(items.flatMap((item) => (replies.has(item) ? [replies.get(item) as Reply] : [])));
      };
      if (open === 0) close();
      for (const [site, group] of groups) {
        send(
          site,
          label,
          (master) => act(master, group),
          (found) => {
            group.forEach((item, at) => replies.set(item, found[at] as Reply));
            close();
          },
          (error) => {
            for (const item of group) replies.set(item, lost(error));
            close();
          },
        );
      }
    });

  type Batch<Item> = { readonly partition: number; readonly items: readonly Item[] };
  const guarded = <Item, Reply>(
    name: string,
    batches: readonly (Batch<Item> & { readonly guard: Parameters<Store['begin']>[1] })[],
    act: (master: Master, some: typeof batches) => readonly Guarded<Reply>[] | Promise<readonly Guarded<Reply>[]>,
  ) =>
    spread<(typeof batches)[number], Guarded<Reply>>(
      batches,
      ({ partition }) => partition,
      name,
      act,
      (error) => ({ kind: 'unavailable', error }),
    );

  return {
    kind: 'redis',
    read: (batches) => guarded('read', batches, (master, some) => master.read(some)),
    standing: (batches) => guarded('standing', batches, (master, some) => master.standing(some)),
    renew: (batches) => guarded('renew entries', batches, (master, some) => master.renew(some)),
    fill: (batches) => guarded('fill', batches, (master, some) => master.fill(some)),
    fence: (batches, xid, secret) =>
      guarded(`fence ${xid}`, batches, (master, some) => master.fence(some, xid, secret)),
    publish: (batches) => guarded('publish', batches, (master, some) => master.publish(some)),
    patch: (batches) => guarded('patch', batches, (master, some) => master.patch(some)),
    drop: (batches) => guarded('drop', batches, (master, some) => master.drop(some)),
    meta: (partitions) =>
      spread<number, Meta | undefined>(
        partitions,
        (partition) => partition,
        'meta',
        (master, some) => master.meta(some),
        () => undefined,
      ),
    begin: (partition, guard, cursor) =>
      one(partition, `begin ${guard.epoch}/${guard.generation}`, (master) => master.begin(partition, guard, cursor)),
    advance: (batches) =>
      spread(
        batches,
        ({ partition }) => partition,
        'advance',
        (master, some) => master.advance(some),
        () => false,
      ),
    standingFences: (where, olderThanMs) =>
      one(where.partition, 'standing fences', (master) => master.standingFences(where, olderThanMs)),
    peek: (partition, item) => one(partition, 'peek', (master) => master.peek(partition, item)),
    inspect: (where, view, key, field) =>
      one(where.partition, 'inspect', (master) => master.inspect(where, view, key, field)),
    close: async () => {},
  };
}
