// A master and two replicas, watched by three sentinels. Like the nodes of a cluster they know each other by addresses of
// ours, and each gateway has its own link to every one of them.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onFreePort } from '../../src/embedded/port.js';
import { findRedis } from '../../src/embedded/redis.js';
import { type Supervised, supervise } from '../../src/embedded/supervise.js';
import { Link } from './link.js';
import { RedisNode } from './redis-node.js';
import type { FailOver, RedisSide } from './redis-side.js';
import { pause } from './traffic.js';
import { noteReplicas, rewritePorts } from './wire.js';

const NAME = 'faults';
const DATA_NODES = 3;
const SENTINELS = 3;
const SETTLED_MS = 30_000;
const LOOK_MS = 500;

interface Member {
  readonly node: RedisNode;
  /** What sentinels and replicas reach it by. */
  readonly wire: Link;
}

interface Sentinel {
  readonly port: number;
  readonly cli: Redis;
  readonly server: Supervised;
}

export async function openSentinel(folder: string, gateways: number): Promise<RedisSide> {
  const members: Member[] = [];
  for (let at = 0; at < DATA_NODES; at++) members.push(await openMember(join(folder, String(at))));
  const [first, ...rest] = members;
  if (!first) throw new Error('There is a first member.');
  for (const { node } of rest) await node.cli.replicaof('127.0.0.1', first.wire.port);
  const sentinels: Sentinel[] = [];
  for (let at = 0; at < SENTINELS; at++) sentinels.push(await openOne(join(folder, `s${at}`), first.wire.port));
  await until(async () => {
    const known = await sentinels[0]?.cli.call('SENTINEL', 'CKQUORUM', NAME).catch(() => '');
    const [, , ...replicas] = await Promise.all(members.map(({ node }) => node.cli.info('replication')));
    return String(known).includes('OK 3') && replicas.every((text) => text.includes('master_link_status:up'));
  });

  const links: { readonly nodes: readonly Link[]; readonly sentinels: readonly Link[] }[] = [];
  for (let gateway = 0; gateway < gateways; gateway++) links.push(await openLinks(members, sentinels));
  const linksOf = (gateway: number) => [...(links[gateway]?.nodes ?? []), ...(links[gateway]?.sentinels ?? [])];

  const master = async () => {
    for (const { cli } of sentinels) {
      const named = cli.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME).catch(() => undefined);
      const address = await Promise.race([named, pause(LOOK_MS)]);
      const port = Array.isArray(address) ? Number(address[1]) : 0;
      const found = members.find(({ wire }) => wire.port === port);
      if (found) return found;
    }
    throw new Error('No sentinel names a master.');
  };

  const failOver = async ({ lostMs, left }: FailOver) => {
    const old = await master();
    const at = members.indexOf(old);
    // What is on its way to the replicas is as good as lost.
    old.wire.delay((connection) => (connection.memory.has('replicates') ? SETTLED_MS : 0));
    await pause(lostMs);
    const lost = links.flatMap((own, gateway) => {
      if (!left.includes(gateway)) return own.nodes.slice(at, at + 1);
      return [...own.nodes.filter((_, index) => index !== at), ...own.sentinels];
    });
    const gone = left.length > 0 ? [old.wire, ...lost] : [];
    for (const link of gone) {
      link.refuse(true);
      link.cut();
    }
    if (left.length === 0) await sentinels[0]?.cli.call('SENTINEL', 'FAILOVER', NAME).catch(() => {});
    const untilMs = performance.now() + SETTLED_MS / 3;
    while ((await master()) === old && performance.now() < untilMs) await pause(50);
    old.wire.cut();
    old.wire.delay();
    return {
      rejoin: async () => {
        for (const link of gone) link.refuse(false);
      },
    };
  };

  return {
    topology: 'sentinel',
    nodes: members.map(({ node }) => node),
    url: (gateway) =>
      `redis+sentinel://${(links[gateway]?.sentinels ?? []).map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    links: linksOf,
    masters: async () => [(await master()).node],
    failOver,
    close: async () => {
      for (const { cli } of sentinels) cli.disconnect();
      await Promise.all([...links.keys()].flatMap(linksOf).map((link) => link.close()));
      await Promise.all(sentinels.map(({ server }) => server.stop()));
      await Promise.all(members.flatMap(({ node, wire }) => [node.stop(), wire.close()]));
    },
  };
}

async function openMember(folder: string): Promise<Member> {
  let port = 0;
  const wire = await Link.open({ target: () => ({ host: '127.0.0.1', port }), watch: noteReplicas });
  const settings = ['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', String(wire.port)];
  const node = await onFreePort((free) => {
    port = free;
    return RedisNode.start({ folder, port, settings });
  });
  return { node, wire };
}

async function openOne(folder: string, master: number): Promise<Sentinel> {
  const found = findRedis(process.env.PATH ?? '', undefined);
  if (found.kind === 'none') throw new Error(`No Redis to start: ${found.reason}.`);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const file = join(folder, 'sentinel.conf');
  return onFreePort(async (port) => {
    const lines = [
      'bind 127.0.0.1',
      `port ${port}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${master} 2`,
      `sentinel down-after-milliseconds ${NAME} 1500`,
      `sentinel failover-timeout ${NAME} 4000`,
      `sentinel parallel-syncs ${NAME} 2`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const args = [file, '--sentinel'];
    const server = supervise({ program: found.path, args, folder, user: undefined, stopSignal: 'TERM' });
    await server.says(/\+monitor master/, 15_000);
    const cli = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    cli.on('error', () => {});
    return { port, cli, server };
  });
}

async function openLinks(members: readonly Member[], sentinels: readonly Sentinel[]) {
  const ports = new Map<number, number>();
  const open = async (port: number, known: number) => {
    const link = await Link.open({ target: () => ({ host: '127.0.0.1', port }), rewrite: rewritePorts(ports) });
    ports.set(known, link.port);
    return link;
  };
  return {
    nodes: await Promise.all(members.map(({ node, wire }) => open(node.port, wire.port))),
    sentinels: await Promise.all(sentinels.map(({ port }) => open(port, port))),
  };
}

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + SETTLED_MS;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error('The sentinels do not settle.');
    await pause(50);
  }
}
