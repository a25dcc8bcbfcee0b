// Which master of a Redis Cluster holds which hash slot, as one of its nodes tells it.
import type { HostPort } from './redis-address.js';

export const SLOTS = 16_384;

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: HostPort;
}

/** What one node knows. */
export interface SlotView {
  /** Whether the node sees most of the masters and all slots: one cut off from them goes on telling what was. */
  readonly ok: boolean;
  /** Raised by each failover. */
  readonly epoch: number;
  readonly ranges: readonly SlotRange[];
  readonly replicas: readonly HostPort[];
}

/** The slot of a hash tag with its braces: CRC16 (XMODEM) of what is between them. Source: Redis Cluster specification. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag.slice(1, -1))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/** Decodes CLUSTER INFO and CLUSTER SLOTS. A node without a name of its own is where it was asked: `asked`. */
export function slotViewOf(info: unknown, slots: unknown, asked: string): SlotView {
  const replicas: HostPort[] = [];
  const ranges = (Array.isArray(slots) ? slots : []).flatMap((range): SlotRange[] => {
    const [first, last, ...nodes] = Array.isArray(range) ? range : [];
    const [master, ...others] = nodes.flatMap((node) => hostPortOf(node, asked));
    replicas.push(...others);
    return master ? [{ first: Number(first), last: Number(last), master }] : [];
  });
  const text = String(info);
  return {
    ok: /cluster_state:ok/.test(text),
    epoch: Number(/cluster_current_epoch:(\d+)/.exec(text)?.[1] ?? 0),
    ranges,
    replicas,
  };
}

function hostPortOf(node: unknown, asked: string): HostPort[] {
  const [host, port] = Array.isArray(node) ? node : [];
  const named = typeof host === 'string' && host !== '' && host !== '?';
  return Number(port) > 0 ? [{ host: named ? host : asked, port: Number(port) }] : [];
}

/** The view to believe: one that sees the whole cluster, and of these the one that knows of the latest failover. */
export function newestOf(views: readonly SlotView[]): SlotView | undefined {
  const [newest] = views
    .filter(({ ranges }) => ranges.length > 0)
    .sort((a, b) => Number(b.ok) - Number(a.ok) || b.epoch - a.epoch);
  return newest;
}
