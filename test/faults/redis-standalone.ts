// One master and one replica. A gateway's link is the address that leads to the master: failing over means that the
// replica is promoted and that the address leads there, as a virtual address does.
import { join } from 'node:path';
import { onFreePort } from '../../src/embedded/port.js';
import { Link } from './link.js';
import { RedisNode } from './redis-node.js';
import type { FailOver, RedisSide } from './redis-side.js';

export async function openStandalone(folder: string, gateways: number): Promise<RedisSide> {
  const nodes: RedisNode[] = [];
  for (const name of ['a', 'b']) {
    nodes.push(await onFreePort((port) => RedisNode.start({ folder: join(folder, name), port })));
  }
  const [first, second] = nodes;
  if (!first || !second) throw new Error('There are two nodes.');
  let master = first;
  const other = () => (master === first ? second : first);
  const target = (node: RedisNode) => ({ host: '127.0.0.1', port: node.port });

  /** Each gateway's master, and the way by which replicas reach a node. */
  const leadsTo = Array.from({ length: gateways }, () => master);
  const links = await Promise.all(
    leadsTo.map((_, gateway) => Link.open({ target: () => target(leadsTo[gateway] ?? master) })),
  );
  const replication = new Map<RedisNode, Link>();
  for (const node of nodes) replication.set(node, await Link.open({ target: () => target(node) }));
  const replicate = async (node: RedisNode, from: RedisNode) => {
    await node.cli.replicaof('127.0.0.1', replication.get(from)?.port ?? 0);
  };
  await replicate(second, first);

  const lead = (gateway: number, node: RedisNode) => {
    leadsTo[gateway] = node;
    links[gateway]?.cut();
  };
  const failOver = async ({ lostMs, left }: FailOver) => {
    const [old, promoted] = [master, other()];
    const wire = replication.get(old);
    wire?.flow('held', 'held');
    await new Promise((resolve) => setTimeout(resolve, lostMs));
    await promoted.cli.replicaof('NO', 'ONE');
    wire?.cut();
    wire?.flow('open', 'open');
    master = promoted;
    for (const gateway of links.keys()) if (!left.includes(gateway)) lead(gateway, promoted);
    return {
      rejoin: async () => {
        for (const gateway of left) lead(gateway, promoted);
        await replicate(old, promoted);
      },
    };
  };

  return {
    topology: 'standalone',
    nodes,
    url: (gateway) => `redis://127.0.0.1:${links[gateway]?.port}`,
    links: (gateway) => links.slice(gateway, gateway + 1),
    masters: async () => [master],
    failOver,
    close: async () => {
      await Promise.all([...links, ...replication.values()].map((link) => link.close()));
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
