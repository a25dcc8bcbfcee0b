// From samples to the figures that are told: percentiles of one slice, and medians with their range over many slices.

/** What one side did in one slice of time. */
export interface Slice {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Time on the processor of the serving process, for each request. */
  readonly cpuUs: number;
}

/** A median, and the least and greatest of what it was taken from. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function sliceOf(latenciesMs: readonly number[], cpuUs: number): Slice {
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    requests: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    cpuUs: cpuUs / sorted.length,
  };
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = Float64Array.from(values).sort();
  return { median: percentile(sorted, 0.5), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Of each round: what was measured of one side, set against what was measured of another in the same round. */
export function compared(
  ours: readonly Slice[],
  theirs: readonly Slice[],
  against: (our: Slice, their: Slice) => number,
): Figure {
  return figureOf(ours.flatMap((our, round) => (theirs[round] ? [against(our, theirs[round])] : [])));
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
