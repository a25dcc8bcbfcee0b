// One measurement: something is broken and mended on a running site, several times, while clients read and are checked.
import type { Checker } from '../../test/faults/checker.js';
import type { Topology } from '../../test/faults/redis-side.js';
import type { Site } from '../../test/faults/site.js';
import type { Traffic } from '../../test/faults/traffic.js';
import type { Figure } from './figure.js';

export interface Measurement {
  readonly name: string;
  readonly topology: Topology;
  /** Leaves the site as it found it. */
  readonly measure: (scene: MeasuredScene) => Promise<readonly Figure[]>;
}

export interface MeasuredScene {
  readonly site: Site;
  readonly checker: Checker;
  readonly random: () => number;
  readonly serial: () => number;
  readonly repeats: number;
  /** For pieces of the fault harness: traffic of this scene that ends when `over` says so. */
  readonly traffic: (over: () => boolean) => Traffic;
}
