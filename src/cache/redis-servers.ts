// Masters, and which of them holds a partition.
import { Redis, type RedisOptions } from 'ioredis';
import { LINK_OPTIONS, RedisLink, type Tell } from './redis-link.js';
import { RedisTracking, TRACKING_OPTIONS } from './redis-tracking.js';

/** One master. */
export interface RedisNode {
  /** Host and port, where there are several. */
  readonly name: string;
  /** For reads and refills. */
  readonly reads: RedisLink;
  /** Apart, so that fences and publishes never queue behind reads. */
  readonly writes: RedisLink;
  /** For what is asked again and again; where it is of no help, `reads` is. */
  readonly tracking: RedisTracking;
}

export interface RedisServers {
  readonly kind: 'single' | 'cluster' | 'sentinel';
  /** Why a server refused us, or we it, before any master was known. */
  readonly refusal: string | undefined;
  /** Whether what was found is not of this kind. */
  readonly foreign: boolean;
  /** The master that holds a hash tag; undefined while none is known. */
  masterOf(tag: string): RedisNode | undefined;
  masters(): readonly RedisNode[];
  /** What a master answered, or that it did not, says that another may hold its partitions by now. */
  doubt(): void;
  /** A master answers as a replica: finds the one that has taken its place. */
  demoted(): void;
  close(): void;
}

/** Opens the connections to a master; `name` tells it from others. */
export function openNode(name: string, options: RedisOptions, tell: Tell): RedisNode {
  const open = () => new RedisLink(new Redis({ ...options, ...LINK_OPTIONS }), tell);
  const tracking = new RedisTracking(new Redis({ ...options, ...LINK_OPTIONS, ...TRACKING_OPTIONS }));
  return { name, reads: open(), writes: open(), tracking };
}

/** Resolves once those for reads and writes are examined, or their first attempts have failed. */
export async function connectNode({ reads, writes, tracking }: RedisNode): Promise<void> {
  tracking.connect();
  await Promise.all([reads.connect(), writes.connect()]);
}

export function closeNode({ reads, writes, tracking }: RedisNode): void {
  reads.close();
  writes.close();
  tracking.close();
}

/** A server is not looked for anew more often than this. */
const RECONNECT_MS = 1_000;

/**
 * One server at a time, which holds every partition: always the same one, or the one that Sentinel names. `refusal` says
 * why none can be found.
 */
export function singleServer(
  kind: 'single' | 'sentinel',
  node: RedisNode,
  refusal: () => string | undefined = () => undefined,
): RedisServers {
  let reconnectedAtMs = Number.NEGATIVE_INFINITY;
  return {
    kind,
    get refusal() {
      return refusal();
    },
    foreign: false,
    masterOf: () => node,
    masters: () => [node],
    doubt: () => {},
    demoted: () => {
      if (performance.now() - reconnectedAtMs < RECONNECT_MS) return;
      reconnectedAtMs = performance.now();
      node.reads.reconnect();
      node.writes.reconnect();
      node.tracking.reconnect();
    },
    close: () => closeNode(node),
  };
}
