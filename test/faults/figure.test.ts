// How `npm run bench:recovery` judges what it has measured.
import { expect, it } from 'vitest';
import { type Figure, isKept, tableOf } from '../../bench/recovery/figure.js';

const figure = (values: readonly number[], of: 'each' | 'p99' = 'each'): Figure => {
  return { name: 'a wait', unit: 'ms', values, bound: { of, most: 100 } };
};

it('a bound of each value is missed by a single one', () => {
  expect(isKept(figure([10, 100]))).toBe(true);
  expect(isKept(figure([10, 101]))).toBe(false);
});

it('a bound of 99 in a hundred is kept with one in a hundred above it, and missed with two', () => {
  const values = Array.from({ length: 98 }, () => 10);
  expect(isKept(figure([...values, 10, 900], 'p99'))).toBe(true);
  expect(isKept(figure([...values, 900, 900], 'p99'))).toBe(false);
});

it('what did not happen in time, or was never measured, misses its bound, and the table says so', () => {
  for (const values of [[], [10, Number.POSITIVE_INFINITY]]) {
    expect(isKept(figure(values))).toBe(false);
    expect(tableOf([figure(values)])).toMatch(/a wait .* – +≤ 100 ms +MISSED$/);
  }
});

it('a figure without a bound is told, and not judged', () => {
  const { bound: _, ...told } = figure([1e9]);
  expect(isKept(told)).toBe(true);
});
