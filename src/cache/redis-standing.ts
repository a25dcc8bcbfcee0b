// Asks masters which values stand: what is asked again soon, on a connection that tells of each change; everything else by a
// script, one call for all partitions, unless that would name several of a cluster.
import { guardArgs } from './redis-arguments.js';
import type { Batch } from './redis-calls.js';
import type { Answer, Exchange, PartitionCall } from './redis-exchange.js';
import type { RedisKeys } from './redis-keys.js';
import { decoded, stampsOf } from './redis-replies.js';
import type { RedisNode, RedisServers } from './redis-servers.js';
import { scripts } from './scripts.js';
import type { Store } from './store.js';
import { askTracked, type Stamps, trackedIn } from './tracked-standing.js';
import type { EntryRef } from './view.js';

export interface RedisStandingOptions {
  readonly exchange: Exchange;
  readonly keys: RedisKeys;
  readonly servers: RedisServers;
  readonly timeoutMs: number;
}

type Batches = readonly Batch<EntryRef>[];

export function redisStanding({ exchange, keys, servers, timeoutMs }: RedisStandingOptions): Store['standing'] {
  const isCluster = servers.kind === 'cluster';

  const callOver = (batches: Batches): PartitionCall => {
    const names: string[] = [];
    const args: (string | number)[] = [];
    for (const { partition, guard, items } of batches) {
      const nameOf = keys.entryNames(partition);
      names.push(keys.meta(partition));
      for (const item of items) names.push(nameOf(item));
      args.push(...guardArgs(guard), items.length);
    }
    return { script: scripts.standing, partition: batches[0]?.partition ?? 0, keys: names, args };
  };

  const byScript = async (batches: Batches): Promise<Stamps> => {
    const groups = isCluster ? batches.map((batch) => [batch]) : [batches];
    const answers = await exchange.send('reads', groups.map(callOver));
    return groups.flatMap((group, at) => stampsIn(answers[at], group));
  };

  /** Without a promise more than it needs: most requests wait for this and for nothing else. */
  const ask = (master: RedisNode | undefined, batches: Batches): Promise<Stamps> => {
    const session = master?.reads.isUsable ? master.tracking.session : undefined;
    const tracked = session && trackedIn(session, batches, keys);
    if (!tracked) return byScript(batches);
    return new Promise((resolve) =>
      askTracked(session, tracked, timeoutMs, (stamps) => resolve(stamps ?? byScript(batches))),
    );
  };

  const masterOf = ({ partition }: Batch<EntryRef>) => servers.masterOf(keys.tag(partition));

  return (batches) => {
    const [first] = batches;
    if (!first) return Promise.resolve([]);
    return isCluster ? perMaster(batches, masterOf, ask) : ask(masterOf(first), batches);
  };
}

/** Asks each master for what it holds, side by side. */
async function perMaster(
  batches: Batches,
  masterOf: (batch: Batch<EntryRef>) => RedisNode | undefined,
  ask: (master: RedisNode | undefined, batches: Batches) => Promise<Stamps>,
): Promise<Stamps> {
  const places = new Map<RedisNode | undefined, number[]>();
  batches.forEach((batch, at) => {
    const master = masterOf(batch);
    const others = places.get(master);
    if (others) others.push(at);
    else places.set(master, [at]);
  });
  const told: Stamps = batches.map(() => ({ kind: 'mismatch' }));
  await Promise.all(
    [...places].map(async ([master, its]) => {
      const stamps = await ask(
        master,
        its.flatMap((at) => batches[at] ?? []),
      );
      its.forEach((at, index) => {
        told[at] = stamps[index] ?? { kind: 'mismatch' };
      });
    }),
  );
  return told;
}

function stampsIn(answer: Answer | undefined, batches: Batches): Stamps {
  const counts = batches.map(({ items }) => items.length);
  const stamps = answer && decoded(answer, (reply) => stampsOf(reply, counts));
  if (stamps?.kind === 'decoded') return stamps.value;
  return batches.map(() => stamps ?? { kind: 'mismatch' });
}
