// Strikes one fault after another, each kind as often as its weight says, in an order that the seed decides. Remembers
// when each of them was at work, and how long hits took to come back.

import { clusterFaults } from './cluster-faults.js';
import { editFaults } from './edit-faults.js';
import { type Fault, type Scene, span } from './fault.js';
import { gatewayFaults } from './gateway-faults.js';
import { linkFaults } from './link-faults.js';
import { postgresFaults } from './postgres-faults.js';
import { untilHits } from './probe.js';
import { redisFaults } from './redis-faults.js';
import type { Topology } from './redis-side.js';
import { oneOf, pause } from './traffic.js';

export interface Struck {
  readonly kind: string;
  readonly touches: Fault['touches'];
  readonly startedMs: number;
  endedMs: number;
  detail: string;
  /** False while it is not known, and where there was nothing to break. */
  happened: boolean;
}

export interface Recovery {
  count: number;
  totalMs: number;
  mostMs: number;
  /** Hits had not come back after the time that is waited for them. */
  unrecovered: number;
}

export interface SaboteurOptions {
  readonly scene: Omit<Scene, 'tell'>;
  readonly faults: readonly Fault[];
  readonly report: (struck: Struck) => void;
  readonly onFailure: (kind: string, error: unknown) => void;
}

/** After a failover gateways may still be making up their minds. */
const GRACE_MS = 6_000;
const RECOVERY_MS = 15_000;
/** Faults come one at a time, but some before the one before is mended. */
const OVERLAPPING = 0.2;

/** The faults that are possible in a topology; those of the named kinds alone, where any are named. */
export function faultsFor(topology: Topology, only: readonly string[]): readonly Fault[] {
  const all = [...gatewayFaults, ...linkFaults, ...redisFaults, ...clusterFaults, ...postgresFaults, ...editFaults];
  const unknown = only.filter((kind) => !all.some((fault) => fault.kind === kind));
  if (unknown.length > 0) {
    throw new Error(`There is no fault ${unknown.join(', ')}; there are: ${all.map(({ kind }) => kind).join(', ')}.`);
  }
  return all.filter(
    ({ kind, topologies }) =>
      (only.length === 0 || only.includes(kind)) && (topologies === undefined || topologies.includes(topology)),
  );
}

export class Saboteur {
  readonly struck: Struck[] = [];
  readonly recoveries = new Map<string, Recovery>();
  readonly #options: SaboteurOptions;
  #bag: Fault[] = [];
  #bags = 0;

  constructor(options: SaboteurOptions) {
    this.#options = options;
  }

  /** A fault of Redis that was at work in this span, or shortly before. */
  excuse(fromMs: number, untilMs: number): string | undefined {
    return this.struck.findLast(
      ({ touches, startedMs, endedMs }) => touches === 'redis' && startedMs <= untilMs && endedMs + GRACE_MS >= fromMs,
    )?.kind;
  }

  /** How many faults took place. */
  get count(): number {
    return this.struck.filter(({ happened }) => happened).length;
  }

  /** Strikes until the run is over; resolves once everything is mended. */
  async run(): Promise<void> {
    const { scene, faults } = this.#options;
    const { random, over } = scene;
    const atWork = new Set<Promise<void>>();
    let moving = Promise.resolve();
    while (!over() && faults.length > 0) {
      const fault = this.#next();
      if (fault.moves) await moving;
      const striking = this.#strike(fault).finally(() => atWork.delete(striking));
      atWork.add(striking);
      if (fault.moves) moving = striking;
      if (!fault.beside && random() >= OVERLAPPING) await striking;
      await pause(span(random, 50, 1_500));
    }
    await Promise.all(atWork);
  }

  async #strike(fault: Fault): Promise<void> {
    const { scene, report, onFailure } = this.#options;
    const struck: Struck = {
      kind: fault.kind,
      touches: fault.touches,
      startedMs: performance.now(),
      endedMs: Number.POSITIVE_INFINITY,
      detail: '',
      happened: false,
    };
    this.struck.push(struck);
    const tell = (detail: string) => {
      struck.detail = detail;
    };
    const happened = await Promise.resolve(fault.strike({ ...scene, tell })).catch((error: unknown) => {
      onFailure(fault.kind, error);
      return false;
    });
    struck.endedMs = performance.now();
    struck.happened = happened !== false;
    if (!struck.happened) {
      // A fault of Redis may have done something before it found that there was nothing to do.
      if (fault.touches !== 'redis') this.struck.splice(this.struck.indexOf(struck), 1);
      return;
    }
    report(struck);
    if (fault.beside) return;
    const ms = await untilHits(scene.site.gateways, RECOVERY_MS, scene.over);
    if (ms !== undefined || !scene.over()) this.#note(fault.kind, ms);
  }

  #note(kind: string, ms: number | undefined): void {
    const recovery = this.recoveries.get(kind) ?? { count: 0, totalMs: 0, mostMs: 0, unrecovered: 0 };
    this.recoveries.set(kind, recovery);
    if (ms === undefined) {
      recovery.unrecovered++;
      return;
    }
    recovery.count++;
    recovery.totalMs += ms;
    recovery.mostMs = Math.max(recovery.mostMs, ms);
  }

  /** Out of a bag in which each kind lies as often as its weight says, and at least once in the first. */
  #next(): Fault {
    const { scene, faults } = this.#options;
    if (this.#bag.length === 0) {
      this.#bag = faults.flatMap((fault) => {
        const { weight = 1 } = fault;
        const copies = Math.floor(weight) + (weight % 1 > (this.#bags === 0 ? 0 : scene.random()) ? 1 : 0);
        return Array.from({ length: copies }, () => fault);
      });
      if (this.#bag.length === 0) this.#bag = [...faults];
      this.#bags++;
    }
    const fault = oneOf(this.#bag, scene.random);
    this.#bag.splice(this.#bag.indexOf(fault), 1);
    return fault;
  }
}
