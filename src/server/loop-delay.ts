// How late the event loop of this process runs, for whoever watches the gateway.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

export interface Load {
  /** How late the event loop ran lately, in ms. */
  readonly delayMs: () => number;
  readonly close: () => void;
}

const sampleMs = 100;
const resolutionMs = 10;

/** Watches the event loop of this process. */
export function watchLoad(): Load {
  const histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let delayMs = 0;
  const timer = setInterval(() => {
    const meanMs = histogram.count > 0 ? histogram.mean / 1e6 - resolutionMs : 0;
    delayMs = Math.max(0, (delayMs + meanMs) / 2);
    histogram.reset();
  }, sampleMs).unref();
  return {
    delayMs: () => delayMs,
    close: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
