// The way to Redis that REDIS_URL describes: opened once, examined at the start and whenever a server is reached anew.
import { addressOf, type RedisAddress } from './redis-address.js';
import { untrusted } from './redis-certificate.js';
import { RedisCluster } from './redis-cluster.js';
import { type ServerFacts, UnsuitableRedis } from './redis-facts.js';
import type { Tell } from './redis-link.js';
import { connectNode, openNode, type RedisServers, singleServer } from './redis-servers.js';

export { UnsuitableRedis };

export interface RedisConnections {
  readonly servers: RedisServers;
}

/** Longer than an attempt to connect may take. */
const OPEN_MS = 4_000;

/**
 * Connects, and goes on trying when a server is out of reach. `tell` hears a sentence when a server turns out to be
 * unsuitable, also one that is reached later on; nothing that such a server says is believed.
 */
export async function connectRedis(
  url: string,
  tell: (sentence: string) => void = () => {},
): Promise<RedisConnections> {
  const { servers, connected } = open(addressOf(url), tellOnce(tell));
  await Promise.race([connected, new Promise((resolve) => setTimeout(resolve, OPEN_MS).unref())]);
  return { servers };
}

/**
 * What the servers call themselves, such as `Redis 7.2.4`; undefined while they are out of reach.
 * @throws {UnsuitableRedis} when one is older than 7.0, a replica, or may evict fences, or is not what REDIS_URL says.
 */
export async function examineRedis({ servers }: RedisConnections): Promise<string | undefined> {
  const masters = servers.masters();
  const [refusal] = [servers, ...masters.flatMap(({ reads, writes }) => [reads, writes])].flatMap(
    ({ refusal }) => refusal ?? [],
  );
  if (refusal !== undefined) throw new UnsuitableRedis(refusal);
  if (servers.foreign)
    throw new UnsuitableRedis('REDIS_URL leads to a Redis that is no cluster; write it as redis://host:port.');
  const examined = masters.flatMap(({ name, reads }) => (reads.facts ? [{ where: name, facts: reads.facts }] : []));
  for (const { where, facts } of examined) requireSuitable(servers.kind, where, facts);
  const [oldest] = examined.map(({ facts }) => facts.name).sort();
  if (oldest === undefined) return undefined;
  if (servers.kind === 'cluster')
    return `${oldest} (cluster of ${masters.length} ${masters.length === 1 ? 'master' : 'masters'})`;
  return servers.kind === 'sentinel' ? `${oldest} (found by Sentinel)` : oldest;
}

function requireSuitable(kind: RedisServers['kind'], where: string, { fault, mode, role }: ServerFacts): void {
  const at = where === '' ? '' : ` (${where})`;
  if (kind === 'single' && mode === 'sentinel')
    throw new UnsuitableRedis('REDIS_URL leads to a sentinel; write it as redis+sentinel://host:port/master-name.');
  if (fault !== undefined) throw new UnsuitableRedis(`${fault}${at}`);
  if (kind !== 'cluster' && mode === 'cluster')
    throw new UnsuitableRedis('REDIS_URL leads to a node of a Redis Cluster; write it as redis+cluster://host:port.');
  if (kind === 'single' && role !== 'master')
    throw new UnsuitableRedis('REDIS_URL leads to a replica; point it at the master.');
}

function open(address: RedisAddress, tell: Tell): { servers: RedisServers; connected: Promise<void> } {
  if (address.kind === 'cluster') {
    const servers = new RedisCluster(address.seeds, address.options, tell);
    return { servers, connected: servers.connect() };
  }
  if (address.kind === 'sentinel') return openWatched(address, tell);
  const node = openNode('', { ...address.options, ...address.server }, tell);
  return { servers: singleServer('single', node), connected: connectNode(node) };
}

function openWatched({ sentinels, options }: Extract<RedisAddress, { kind: 'sentinel' }>, tell: Tell) {
  let refusal: string | undefined;
  const node = openNode('', options, tell);
  const examined = options.tls ? untrusted(sentinels) : Promise.resolve(undefined);
  const told = examined.then((fault) => {
    refusal = fault;
  });
  const servers = singleServer('sentinel', node, () => (node.reads.facts ? undefined : refusal));
  return { servers, connected: Promise.all([connectNode(node), told]).then(() => {}) };
}

/** A server that stays as unsuitable as it was is told of once. */
function tellOnce(tell: (sentence: string) => void): Tell {
  let last: string | undefined;
  return (fault) => {
    if (fault !== undefined && fault !== last) tell(fault);
    last = fault;
  };
}
