// The figures of one workload as a person reads them on a terminal.
import type { Figure } from '../freshness/figures.js';
import type { Result } from './figures.js';

const HEAD = ['', 'ratio to P0', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs', 'RSS MiB', 'stale', 'failed'];

/** One line for each contestant: medians, and in parentheses the least and the greatest ratio. */
export function tableOf(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const busy = results.filter(({ loadBusy }) => loadBusy > 0.9).map(({ name }) => name);
  const failures = results.flatMap(({ name, failure }) => (failure === undefined ? [] : [`${name}: ${failure}`]));
  return [
    ...lines,
    ...(busy.length > 0
      ? [`The load itself was at its limit with: ${busy.join(', ')}. They may be faster than shown.`]
      : []),
    ...failures,
  ].join('\n');
}

function rowOf({ title, ratio, perSecond, p50Ms, p99Ms, cpuUs, rssMiB, stale, failed }: Result): string[] {
  return [
    title,
    ranged(ratio),
    perSecond.median.toFixed(0),
    median(p50Ms),
    median(p99Ms),
    median(cpuUs),
    rssMiB.toFixed(0),
    String(stale),
    String(failed),
  ];
}

const median = (figure: Figure): string => shown(figure.median);

/** A median, and in parentheses the least and the greatest. */
export const ranged = ({ median, min, max }: Figure): string =>
  Number.isNaN(median) ? '–' : `${shown(median)} (${shown(min)}–${shown(max)})`;

export const shown = (value: number): string =>
  Number.isNaN(value) ? '–' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
