// The store on a master that sentinels watch: whoever takes its place is found.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis, examineRedis, type RedisConnections, redisStore, type Store } from '../../src/cache/index.js';
import { addressOf } from '../../src/cache/redis-address.js';
import { openNode } from '../../src/cache/redis-servers.js';
import { Partition, value } from '../contracts/partition.js';
import { eventually } from '../support/eventually.js';
import { startWatched, type Watched } from '../support/sentinel.js';

let watched: Watched;
let connections: RedisConnections;
let store: Store;
let at: Partition;
beforeAll(async () => {
  watched = await startWatched();
  connections = await connectRedis(watched.url);
  store = redisStore({ ...connections, installation: randomBytes(4).toString('hex'), timeoutMs: 2_000 });
  at = await Partition.begin(store, 0);
  await at.filled('k', value({ json: '"kept"' }));
}, 180_000);
afterAll(async () => {
  await store.close();
  await watched.close();
});

it('finds the master by its sentinels', async () => {
  expect(await examineRedis(connections)).toMatch(/^(Redis|Valkey) [\d.]+ \(found by Sentinel\)$/);
  expect(await at.value('k')).toBe('"kept"');
});

it('is found by a link that is told to look anew while it asks the sentinels, which ends the driver', async () => {
  const address = addressOf(watched.url);
  if (address.kind !== 'sentinel') throw new Error('The watched master has a URL of sentinels.');
  const { reads: link } = openNode('', address.options, () => {});
  try {
    const connecting = link.connect();
    link.reconnect();
    await connecting;
    await eventually(() => link.facts?.role === 'master');
  } finally {
    link.close();
  }
});

it('follows a failover to the new master, which answers as another life; the old one is not believed again', async () => {
  const replicated = await eventually(async () => {
    const [offset] = /master_repl_offset:\d+/.exec(await watched.master.cli.info('replication')) ?? [''];
    return (await watched.replica.cli.info('replication')).includes(offset) && offset;
  }, 60_000);
  expect(replicated).not.toBe('');
  await watched.master.freeze();
  const found = await eventually(async () => {
    const meta = (await store.meta([0]))[0];
    return meta?.incarnation !== undefined && meta.incarnation !== at.guard.incarnation && meta;
  }, 100_000);
  expect(found.stored).toEqual({ ...at.guard, cursor: 'start' });
  await watched.master.thaw();
  await eventually(async () => /role:slave/.test(await watched.master.cli.info('replication')), 60_000);
  expect((await store.meta([0]))[0]).toEqual(found);
  const guard = { ...at.guard, incarnation: found.incarnation ?? '', epoch: '2' };
  expect(await eventually(() => store.begin(0, guard, 'next').catch(() => false), 10_000)).toBe(true);
  expect(await at.under(guard).value('k')).toBe('"kept"');
  expect(await watched.replica.cli.info('replication')).toMatch(/role:master/);
}, 180_000);
