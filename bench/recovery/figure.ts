// What was measured, how much of it is allowed, and both as a table.

/** The most that each value may be, or that 99 in a hundred may be. */
export interface Bound {
  readonly of: 'each' | 'p99';
  readonly most: number;
}

export interface Figure {
  readonly name: string;
  readonly unit: 'ms' | '';
  /** Infinity where it did not happen in time. */
  readonly values: readonly number[];
  /** Without one, it is told for what it explains. */
  readonly bound?: Bound;
}

const JUDGED = { each: 1, p99: 0.99 } as const;

/** The value that the bound speaks of; NaN where nothing was measured. */
const judged = ({ values, bound }: Figure): number => quantile(values, JUDGED[bound?.of ?? 'each']);

/** Whether the bound is kept; without a value it is not. */
export const isKept = (figure: Figure): boolean => !figure.bound || judged(figure) <= figure.bound.most;

/** The smallest value that so large a share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** One line per figure. */
export function tableOf(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const head = ['n', 'median', 'most', 'bound'].map((word, at) => word.padStart(at === 0 ? 6 : 10)).join('');
  return [`  ${' '.repeat(width)}${head}`, ...figures.map((figure) => lineOf(figure, width))].join('\n');
}

function lineOf(figure: Figure, width: number): string {
  const { name, unit, values, bound } = figure;
  const withUnit = (value: string) => `${value} ${unit}`.trim().padStart(10);
  const shown = (value: number) => (Number.isFinite(value) ? withUnit(String(Math.round(value))) : '–'.padStart(10));
  const allowed = bound ? ` ${withUnit(`≤ ${bound.most}`)}${bound.of === 'p99' ? ' (p99)' : ''}` : '';
  const cells = [String(values.length).padStart(6), shown(quantile(values, 0.5)), shown(judged(figure)), allowed];
  return `  ${name.padEnd(width)}${cells.join('')}${isKept(figure) ? '' : '   MISSED'}`;
}
