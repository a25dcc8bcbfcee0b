// What is told of one contestant in one workload: medians over the repeats, with the least and the greatest.
import { type Figure, figureOf } from '../freshness/figures.js';
import type { Slice } from './load.js';

/** One slice, with what it cost. */
export interface Measured {
  readonly slice: Slice;
  /** Of the server's processes, for each request. */
  readonly cpuUs: number;
  readonly rssMiB: number;
  /** The share of its time that the generator was busy: near 1, it is what was measured. */
  readonly loadBusy: number;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly perSecond: Figure;
  /** Of requests per second, to P0's in the same round. */
  readonly ratio: Figure;
  readonly p50Ms: Figure;
  readonly p99Ms: Figure;
  readonly cpuUs: Figure;
  readonly rssMiB: number;
  readonly loadBusy: number;
  readonly requests: number;
  readonly stale: number;
  readonly failed: number;
  readonly failure: string | undefined;
}

export interface Entry {
  readonly name: string;
  readonly title: string;
  readonly rounds: readonly Measured[];
}

/** `base` is what ratios are taken to, round by round. */
export function resultOf({ name, title, rounds }: Entry, base: readonly Measured[] | undefined): Result {
  const slices = rounds.map(({ slice }) => slice);
  const sum = (of: (slice: Slice) => number) => slices.reduce((total, slice) => total + of(slice), 0);
  return {
    name,
    title,
    perSecond: figureOf(slices.map(({ perSecond }) => perSecond)),
    ratio: figureOf(slices.flatMap(({ perSecond }, round) => ratioTo(perSecond, base?.[round]))),
    p50Ms: figureOf(slices.map(({ p50Ms }) => p50Ms)),
    p99Ms: figureOf(slices.map(({ p99Ms }) => p99Ms)),
    cpuUs: figureOf(rounds.map(({ cpuUs }) => cpuUs)),
    rssMiB: Math.max(...rounds.map(({ rssMiB }) => rssMiB)),
    loadBusy: figureOf(rounds.map(({ loadBusy }) => loadBusy)).median,
    requests: sum(({ requests }) => requests),
    stale: sum(({ stale }) => stale),
    failed: sum(({ failed }) => failed),
    failure: slices.find(({ failure }) => failure !== undefined)?.failure,
  };
}

const ratioTo = (perSecond: number, base: Measured | undefined) => (base ? [perSecond / base.slice.perSecond] : []);
