// A Redis Cluster of one's own: three masters with a replica each, which fails over within seconds.
import { Cluster } from 'ioredis';
import { onFreePort } from '../../src/embedded/port.js';
import { eventually } from './eventually.js';
import { type RedisServer, startRedisServer } from './redis.js';

const MASTERS = 3;
const SLOTS = 16_384;
/** Short, but longer than a busy machine keeps a server from running. */
const NODE_TIMEOUT_MS = 3_000;

export interface TestCluster {
  /** Names two of the nodes. */
  readonly url: string;
  /** Three masters, then a replica of each. */
  readonly nodes: readonly RedisServer[];
  /** A client that follows redirections, for the test itself. */
  readonly cli: Cluster;
  /** The node that holds the slot of `key`, as another node sees it. */
  readonly holderOf: (key: string) => Promise<RedisServer>;
  readonly close: () => Promise<void>;
}

/** Starts a cluster of nodes that `start` starts; resolves once every node agrees on it and every replica follows its master. */
export async function startCluster(
  settings: readonly string[] = [],
  start: typeof startRedisServer = startRedisServer,
): Promise<TestCluster> {
  const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startNode(settings, start)));
  const servers = nodes.map(({ server }) => server);
  try {
    await join(nodes);
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  const cli = new Cluster(servers.map(({ port }) => ({ host: '127.0.0.1', port })));
  cli.on('error', () => {});
  return {
    url: `redis+cluster://${addresses.slice(0, 2).join(',')}`,
    nodes: servers,
    cli,
    holderOf: (key) => holderOf(servers, key),
    close: async () => {
      cli.disconnect();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

interface Node {
  readonly server: RedisServer;
  readonly busPort: number;
}

async function startNode(settings: readonly string[], start: typeof startRedisServer): Promise<Node> {
  return onFreePort(async (busPort) => {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
    const quick = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'];
    const alone = ['--cluster-require-full-coverage', 'no', '--cluster-replica-validity-factor', '0'];
    return { server: await start([...cluster, ...quick, ...alone, ...settings]), busPort };
  });
}

async function join(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (!first) return;
  await Promise.all(nodes.map(({ server }, at) => server.cli.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)));
  const masters = nodes.slice(0, MASTERS);
  for (const [at, { server }] of masters.entries()) {
    const [from, to] = [Math.ceil((at * SLOTS) / MASTERS), Math.ceil(((at + 1) * SLOTS) / MASTERS) - 1];
    await server.cli.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const { server, busPort } of nodes.slice(1)) {
    await first.server.cli.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
  const everywhere = async (fact: RegExp) => {
    const told = await Promise.all(nodes.map(({ server }) => server.cli.call('CLUSTER', 'INFO')));
    return told.every((info) => fact.test(String(info)));
  };
  await eventually(() => everywhere(new RegExp(`cluster_known_nodes:${nodes.length}\\b`)), 60_000);
  for (const [at, { server }] of nodes.slice(MASTERS).entries()) {
    const master = String(await masters[at]?.server.cli.call('CLUSTER', 'MYID'));
    await eventually(
      async () => (await server.cli.call('CLUSTER', 'REPLICATE', master).catch(() => '')) === 'OK',
      60_000,
    );
  }
  await eventually(() => everywhere(/cluster_state:ok/), 60_000);
  for (const { server } of nodes.slice(MASTERS)) {
    await eventually(async () => /master_link_status:up/.test(await server.cli.info('replication')), 60_000);
  }
  await eventually(async () => {
    const told = await Promise.all(nodes.map(({ server }) => server.cli.call('CLUSTER', 'NODES')));
    return told.every((lines) => String(lines).match(/\bslave\b/g)?.length === nodes.length - MASTERS);
  }, 60_000);
}

async function holderOf(servers: readonly RedisServer[], key: string): Promise<RedisServer> {
  for (const { cli, port } of servers) {
    if (cli.status !== 'ready') continue;
    const refusal = await cli.exists(key).then(
      () => undefined,
      (error: Error) => error.message,
    );
    const holder = refusal === undefined ? port : Number(/^MOVED .*:(\d+)$/.exec(refusal)?.[1]);
    const server = servers.find((each) => each.port === holder);
    if (server) return server;
  }
  throw new Error('No node knows who holds the key.');
}
