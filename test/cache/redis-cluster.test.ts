// The store on a Redis Cluster: the contract, and masters that fail one at a time.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, examineRedis, redisStore } from '../../src/cache/index.js';
import { slotOf } from '../../src/cache/redis-slots.js';
import { Partition, value } from '../contracts/partition.js';
import { storeContract } from '../contracts/store.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { elapse } from '../support/elapse.js';
import { eventually } from '../support/eventually.js';

const PARTITIONS = 16;
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 180_000);
afterAll(() => cluster.close());

async function openStore(timeoutMs = 5_000, url = cluster.url) {
  const installation = randomBytes(4).toString('hex');
  const connections = await connectRedis(url);
  const store = redisStore({ ...connections, installation, timeoutMs });
  const tag = (partition: number) => `{${installation}.${partition}}`;
  return { store, connections, installation, tag };
}

describe('a Redis Cluster', () => {
  storeContract(async () => {
    const { store, tag } = await openStore();
    return {
      store,
      elapse: (partition, key, ms) => elapse(cluster.cli, { tag: tag(partition), view: 'note', key }, ms),
    };
  });

  it('is named with its masters', async () => {
    const { store, connections } = await openStore();
    expect(await examineRedis(connections)).toMatch(/^(Redis|Valkey) [\d.]+ \(cluster of 3 masters\)$/);
    await store.close();
  });

  it('takes user and password from REDIS_URL for every node', async () => {
    for (const { cli } of cluster.nodes) {
      await cli.call('ACL', 'SETUSER', 'gateway', 'on', '>hunter2', '~*', '&*', '+@all');
    }
    const { store, connections } = await openStore(5_000, cluster.url.replace('//', '//gateway:hunter2@'));
    expect(await store.meta([0, 1, 2, 3])).not.toContain(undefined);
    expect(connections.servers.masters()).toHaveLength(3);
    await store.close();
    const wrong = await connectRedis(cluster.url.replace('//', '//gateway:wrong@'));
    await expect(examineRedis(wrong)).rejects.toThrow('Redis refuses the user or password in REDIS_URL; correct it.');
    wrong.servers.close();
  });

  it('is reached by the host names that its nodes announce', async () => {
    const announce = async (name: string, type: string) => {
      for (const { cli } of cluster.nodes) {
        await cli.config('SET', 'cluster-announce-hostname', name);
        await cli.config('SET', 'cluster-preferred-endpoint-type', type);
      }
    };
    const reachedBy = async (host: string) => {
      const { store, connections } = await openStore();
      const hosts = connections.servers.masters().map(({ name }) => name.split(':')[0]);
      const metas = await store.meta([0, 1, 2, 3]);
      await store.close();
      return hosts.every((each) => each === host) && !metas.includes(undefined);
    };
    await announce('localhost', 'hostname');
    await eventually(() => reachedBy('localhost'), 30_000);
    await announce('', 'ip');
    await eventually(() => reachedBy('127.0.0.1'), 30_000);
  }, 90_000);

  it('is examined whole: one unsuitable master is enough', async () => {
    const [, second] = cluster.nodes;
    await second?.cli.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { store, connections, tag } = await openStore();
    await expect(examineRedis(connections)).rejects.toThrow(
      /allkeys-lru.* set it to volatile-lfu\. \(127\.0\.0\.1:\d+\)$/,
    );
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const metas = await store.meta(all);
    for (const partition of all) {
      const held = (await cluster.holderOf(`${tag(partition)}m`)) === second;
      expect(metas[partition] === undefined).toBe(held);
    }
    await second?.cli.config('SET', 'maxmemory-policy', 'volatile-lfu');
    await store.close();
  });

  it('is not taken for one server', async () => {
    const connections = await connectRedis(cluster.nodes[0]?.url ?? '');
    await expect(examineRedis(connections)).rejects.toThrow(
      'REDIS_URL leads to a node of a Redis Cluster; write it as redis+cluster://host:port.',
    );
    connections.servers.close();
  });

  it('puts a hash tag into the slot that Redis puts it into', async () => {
    const tags = Array.from({ length: 64 }, (_, at) => `{${randomBytes(8).toString('hex')}.${at}}`);
    for (const tag of tags) expect(slotOf(tag)).toBe(await cluster.nodes[0]?.cli.call('CLUSTER', 'KEYSLOT', `${tag}m`));
  });
});

describe('the masters of a cluster', () => {
  let open: Awaited<ReturnType<typeof openStore>>;
  let partitions: readonly Partition[];
  const readAll = () => {
    const items = [{ view: 'note', key: 'k', field: 'value@1', secret: 't' }];
    return open.store.read(partitions.map(({ where }) => ({ ...where, items })));
  };
  beforeAll(async () => {
    open = await openStore(1_000);
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    partitions = await Promise.all(all.map((partition) => Partition.begin(open.store, partition)));
    for (const each of partitions) await each.filled('k', value({ json: `"${each.partition}"` }));
  });
  afterAll(() => open.store.close());

  it('share the partitions, and are asked side by side', async () => {
    const holders = new Set(partitions.map(({ guard }) => guard.incarnation));
    expect(holders.size).toBe(3);
    expect((await readAll()).map(({ kind }) => kind)).toEqual(partitions.map(() => 'done'));
  });

  it('freeze alone: only their partitions are unavailable, within the time-out', async () => {
    const frozen = await cluster.holderOf(`${open.tag(0)}m`);
    await frozen.freeze();
    const replies = await readAll();
    await frozen.thaw();
    const incarnation = partitions[0]?.guard.incarnation;
    replies.forEach((reply, at) => {
      const held = partitions[at]?.guard.incarnation === incarnation;
      expect(reply).toMatchObject(held ? { kind: 'unavailable', error: { kind: 'timeout' } } : { kind: 'done' });
    });
  });

  it('die alone: the replica that takes over answers as another life, and no other partition was ever unavailable', async () => {
    const dead = partitions[0]?.guard.incarnation;
    const orphans = partitions.filter(({ guard }) => guard.incarnation === dead).map(({ partition }) => partition);
    const others = partitions.filter(({ guard }) => guard.incarnation !== dead).map(({ partition }) => partition);
    const killed = await cluster.holderOf(`${open.tag(0)}m`);
    await killed.kill();
    const found = await eventually(async () => {
      expect(await open.store.meta(others)).not.toContain(undefined);
      const metas = await open.store.meta(orphans);
      return metas.every((meta) => meta?.incarnation !== undefined) && metas;
    }, 60_000);
    for (const [at, meta] of found.entries()) {
      expect(meta?.incarnation).not.toBe(dead);
      expect(meta?.stored).toEqual({ ...partitions[orphans[at] ?? -1]?.guard, cursor: 'start' });
    }
    const replies = await readAll();
    replies.forEach((reply, at) => {
      expect(reply.kind).toBe(orphans.includes(at) ? 'mismatch' : 'done');
    });
    await killed.restart('empty');
    await eventually(async () => /role:slave/.test(await killed.cli.info('replication')), 60_000);
    expect(await open.store.meta(orphans)).toEqual(found);
  }, 150_000);

  it('step down alone: nothing is sent on to the successor, which answers as another life once it is known', async () => {
    const last = partitions.find(({ guard }) => guard.incarnation !== partitions[0]?.guard.incarnation);
    const before = last?.guard.incarnation;
    const moved = partitions.filter(({ guard }) => guard.incarnation === before).map(({ partition }) => partition);
    const master = await cluster.holderOf(`${open.tag(moved[0] ?? 0)}m`);
    const replica = cluster.nodes[cluster.nodes.indexOf(master) + 3];
    await eventually(async () => (await replica?.cli.call('CLUSTER', 'FAILOVER')) === 'OK', 30_000);
    const reached = await eventually(async () => {
      const replies = await readAll();
      replies.forEach((reply, at) => {
        if (!moved.includes(at)) expect(reply.kind).not.toBe('unavailable');
      });
      return moved.every((partition) => replies[partition]?.kind === 'mismatch');
    }, 60_000);
    expect(reached).toBe(true);
    for (const meta of await open.store.meta(moved)) expect(meta?.incarnation).not.toBe(before);
  }, 100_000);
});
