// What the first process and its workers tell each other.

import type { Config } from '../config.js';
import type { Readiness, Sample } from '../server/index.js';
import type { Site } from './site.js';

/** What the first process has a worker do. */
export interface Task {
  readonly place: number;
  readonly site: Site;
  readonly http: Config['http'];
  readonly demo: boolean;
}

/** What a worker tells of itself when it is asked. */
export type OfWorker = {
  readonly readiness: Readiness;
  readonly liveness: boolean;
  readonly samples: readonly Sample[];
};

/** What a worker may ask about all of them. */
export type OfWhole = {
  readonly readiness: Readiness;
  readonly liveness: boolean;
  readonly metrics: string;
};

/** What a worker tells when it serves. */
export interface Report {
  readonly url: string;
  readonly port: number;
  readonly storeName: string;
  readonly lines: readonly string[];
}
