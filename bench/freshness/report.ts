// The figures as a person reads them: Espelho's own, the others', and their ratios round by round.
import { compared, type Figure, figureOf, type Slice } from './figures.js';
import type { HitRatios, Slices } from './http-suites.js';

const OTHERS = {
  plain: 'plain cache-aside (GET; Drizzle as it comes; DEL after writes)',
  tuned: 'tuned cache-aside (one MGET per turn; prepared statements; SET after writes)',
} as const;

/** One table: latencies in ms, processor time in µs for each request. */
export function tell(title: string, slices: Slices): void {
  const ours = slices.get('espelho') ?? [];
  console.log(`\n${title}; ${ours.length} rounds, median (least–greatest)`);
  tellOne('Espelho', ours);
  for (const [name, label] of Object.entries(OTHERS)) {
    const theirs = slices.get(name) ?? [];
    tellOne(label, theirs);
    const ratio = (of: (slice: Slice) => number) => compared(ours, theirs, (our, their) => of(our) / of(their));
    const more = (of: (slice: Slice) => number) => compared(ours, theirs, (our, their) => of(our) - of(their));
    console.log(
      `    Espelho to it: p50 × ${shown(ratio(p50))}, p99 × ${shown(ratio(p99))}, processor × ${shown(ratio(cpu))}; p50 ${shown(more(p50))} ms more`,
    );
  }
}

export function tellHits(hits: HitRatios): void {
  const shares = [...hits].map(([name, ratio]) => `${name} ${(100 * ratio).toFixed(2)} %`);
  console.log(`  hit ratio: ${shares.join(', ')}`);
}

function tellOne(label: string, slices: readonly Slice[]): void {
  const requests = slices.reduce((sum, slice) => sum + slice.requests, 0);
  const figures = [p50, p99, cpu].map((of) => shown(figureOf(slices.map(of))));
  console.log(
    `  ${label}: p50 ${figures[0]} ms, p99 ${figures[1]} ms, processor ${figures[2]} µs; ${requests} requests`,
  );
}

const p50 = (slice: Slice) => slice.p50Ms;
const p99 = (slice: Slice) => slice.p99Ms;
const cpu = (slice: Slice) => slice.cpuUs;

const shown = ({ median, min, max }: Figure): string => `${round(median)} (${round(min)}–${round(max)})`;

const round = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
