// What a fault is: something that goes wrong for a while at a place of its own choosing, and is mended in the end.
import type { Checker } from './checker.js';
import type { Topology } from './redis-side.js';
import type { Site } from './site.js';
import { oneOf, pause } from './traffic.js';

export interface Fault {
  readonly kind: string;
  /** How often it is chosen beside the others; 1 unless said. */
  readonly weight?: number;
  /** Around a fault of Redis an older answer may follow a newer one. */
  readonly touches: 'redis' | 'postgres' | 'gateway' | 'data';
  /** Where it is possible; everywhere unless said. */
  readonly topologies?: readonly Topology[];
  /** Moves masters: never while another such fault is at work. */
  readonly moves?: true;
  /** Goes on for long, beside other faults, without harm to anybody's patience. */
  readonly beside?: true;
  /** Resolves once all is mended; `false` where nothing could be broken at the moment. */
  readonly strike: (scene: Scene) => Promise<unknown>;
}

export interface Scene {
  readonly site: Site;
  readonly checker: Checker;
  readonly random: () => number;
  readonly over: () => boolean;
  /** Another value than all before. */
  readonly serial: () => number;
  /** What a fault did in detail, for whoever reads of a violation. */
  readonly tell: (detail: string) => void;
}

/** A random time, more often short than long. */
export const span = (random: () => number, fromMs: number, untilMs: number): number =>
  fromMs + (untilMs - fromMs) * random() ** 2;

/** Breaks something for a while; mends it whatever happens. */
export async function during(ms: number, begin: () => unknown, end: () => unknown): Promise<void> {
  try {
    await begin();
    await pause(ms);
  } finally {
    await end();
  }
}

export const anyGateway = ({ site, random }: Scene): number => oneOf([...site.gateways.keys()], random);
