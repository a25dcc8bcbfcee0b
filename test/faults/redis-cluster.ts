// Three masters with a replica each. Nodes announce addresses of ours to each other: through one go clients and replicas,
// through another the cluster's own protocol, so that both can be cut. Each gateway has its own link to every node, and is
// told of no other address.
import { join } from 'node:path';
import { onFreePort } from '../../src/embedded/port.js';
import { Link, type LinkConnection, type Side } from './link.js';
import { RedisNode } from './redis-node.js';
import type { FailOver, RedisSide } from './redis-side.js';
import { pause } from './traffic.js';
import { noteReplicas, rewritePorts, senderOf } from './wire.js';

export const MASTERS = 3;
export const NODE_TIMEOUT_MS = 1_500;
const SETTLED_MS = 30_000;
const LOOK_MS = 500;
const SLOTS = 16_384;

interface Member {
  readonly node: RedisNode;
  readonly id: string;
  /** What others reach it by: its port to clients and replicas, and to the cluster. */
  readonly wire: Link;
  readonly bus: Link;
}

export async function openCluster(folder: string, gateways: number): Promise<RedisSide> {
  const members: Member[] = [];
  for (let at = 0; at < 2 * MASTERS; at++) members.push(await openMember(join(folder, String(at))));
  await meet(members);
  const nodeOf = new Map(members.map((member) => [member.wire.port, member]));
  const links: Link[][] = [];
  for (let gateway = 0; gateway < gateways; gateway++) links.push(await openLinks(members));

  const masters = async () => {
    const lines = await clusterNodes(members);
    return lines.flatMap(({ flags, port, slots }) => {
      const member = nodeOf.get(port);
      return member && slots && flags.includes('master') && !flags.includes('fail') ? [member.node] : [];
    });
  };
  const replicaOf = async (master: Member) => {
    const lines = await clusterNodes(members.filter((member) => member !== master));
    const found = lines.find(({ flags, of }) => of === master.id && !flags.includes('fail'));
    return found && nodeOf.get(found.port);
  };

  const failOver = async ({ lostMs, left, random }: FailOver) => {
    const standing = await masters();
    const old = members.find(({ node }) => node === standing[Math.floor(random() * standing.length)]);
    const promoted = old && (await replicaOf(old));
    if (!old || !promoted) return undefined;
    // What is on its way to the replica is as good as lost.
    old.wire.delay((connection) => (connection.memory.has('replicates') ? SETTLED_MS : 0));
    await pause(lostMs);
    const isolated = left.length > 0 ? isolate(old, members, links, left) : undefined;
    await promoted.node.cli.cluster('FAILOVER', 'TAKEOVER');
    old.wire.cut();
    old.wire.delay();
    return { rejoin: async () => isolated?.() };
  };

  return {
    topology: 'cluster',
    nodes: members.map(({ node }) => node),
    url: (gateway) => `redis+cluster://${(links[gateway] ?? []).map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    links: (gateway) => links[gateway] ?? [],
    masters,
    failOver,
    close: async () => {
      const wires = members.flatMap(({ wire, bus }) => [wire, bus]);
      await Promise.all([...links.flat(), ...wires].map((link) => link.close()));
      await Promise.all(members.map(({ node }) => node.stop()));
    },
  };
}

async function openMember(folder: string): Promise<Member> {
  let port = 0;
  let busPort = 0;
  const wire = await Link.open({ target: () => ({ host: '127.0.0.1', port }), watch: noteReplicas });
  const bus = await Link.open({ target: () => ({ host: '127.0.0.1', port: busPort }) });
  const node = await onFreePort(async (clients) => {
    port = clients;
    busPort = await onFreePort(async (free) => free);
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-port': busPort,
      'cluster-node-timeout': NODE_TIMEOUT_MS,
      'cluster-replica-validity-factor': 0,
      'cluster-require-full-coverage': 'no',
      'cluster-allow-replica-migration': 'no',
      'cluster-announce-ip': '127.0.0.1',
      'cluster-announce-port': wire.port,
      'cluster-announce-bus-port': bus.port,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return RedisNode.start({ folder, port, settings: args });
  });
  const id = String(await node.cli.cluster('MYID'));
  return { node, id, wire, bus };
}

/** Makes one cluster of the members: the first half masters, the others their replicas. */
async function meet(members: readonly Member[]): Promise<void> {
  const [first] = members;
  for (const [at, { node }] of members.slice(0, MASTERS).entries()) {
    const from = Math.floor((at * SLOTS) / MASTERS);
    await node.cli.cluster('ADDSLOTSRANGE', from, Math.floor(((at + 1) * SLOTS) / MASTERS) - 1);
  }
  for (const { wire, bus } of members.slice(1)) {
    await first?.node.cli.call('CLUSTER', 'MEET', '127.0.0.1', wire.port, bus.port);
  }
  await untilEach(members, async ({ node }) => /cluster_known_nodes:6/.test(await node.cli.cluster('INFO')));
  for (const [at, { node }] of members.slice(MASTERS).entries()) {
    const master = members[at]?.id ?? '';
    await until(() =>
      node.cli.cluster('REPLICATE', master).then(
        () => true,
        () => false,
      ),
    );
  }
  await untilEach(members, async ({ node }) => /cluster_state:ok/.test(await node.cli.cluster('INFO')));
  await untilEach(members.slice(MASTERS), async ({ node }) => {
    return /master_link_status:up/.test(await node.cli.info('replication'));
  });
}

async function openLinks(members: readonly Member[]): Promise<Link[]> {
  const ports = new Map<number, number>();
  const links: Link[] = [];
  for (const { node, wire } of members) {
    const target = { host: '127.0.0.1', port: node.port };
    const link = await Link.open({ target: () => target, rewrite: rewritePorts(ports) });
    ports.set(wire.port, link.port);
    links.push(link);
  }
  return links;
}

/** Leaves a member alone with the gateways of `left`, which reach nobody else; resolves to what undoes that. */
function isolate(
  old: Member,
  members: readonly Member[],
  links: readonly (readonly Link[])[],
  left: readonly number[],
): () => void {
  const others = members.filter((member) => member !== old);
  const at = members.indexOf(old);
  const unheard = (_: Side, piece: Buffer, connection: LinkConnection) => {
    if (senderOf(piece) === old.id) connection.reset();
    return undefined;
  };
  const lost = links.flatMap((own, gateway) =>
    own.filter((_, index) => (left.includes(gateway) ? index !== at : index === at)),
  );
  const gone = [old.bus, old.wire, ...lost];
  for (const { bus } of others) bus.taps.add(unheard);
  for (const link of gone) {
    link.refuse(true);
    link.cut();
  }
  return () => {
    for (const { bus } of others) bus.taps.delete(unheard);
    for (const link of gone) link.refuse(false);
  };
}

interface NodeLine {
  readonly flags: readonly string[];
  readonly port: number;
  /** The id of its master. */
  readonly of: string;
  readonly slots: boolean;
}

/** The cluster as the first member that answers sees it. */
async function clusterNodes(members: readonly Member[]): Promise<NodeLine[]> {
  for (const { node } of members) {
    const text = await Promise.race([node.cli.cluster('NODES').catch(() => undefined), pause(LOOK_MS)]);
    if (typeof text !== 'string' || /myself[^\n]*fail/.test(text)) continue;
    return text
      .trim()
      .split('\n')
      .map((line) => {
        const [, address = '', flags = '', of = '', , , , , ...slots] = line.split(' ');
        return { flags: flags.split(','), port: Number(/:(\d+)@/.exec(address)?.[1]), of, slots: slots.length > 0 };
      });
  }
  return [];
}

const untilEach = (members: readonly Member[], check: (member: Member) => Promise<boolean>) =>
  Promise.all(members.map((member) => until(() => check(member))));

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + SETTLED_MS;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error('The cluster does not settle.');
    await pause(50);
  }
}
