import { describe, expect, it } from 'vitest';
import { ImportTally } from '../../src/resolvers/import/import-report.js';

const error = (line: number) => ({ file: 'f', line, reason: `reason ${line}` });

describe('the report of an import', () => {
  it('counts what was read as the sum of written, unchanged and refused', () => {
    const tally = new ImportTally();
    tally.write(3);
    tally.keep(2);
    tally.refuse(error(7));
    tally.note(error(8));
    expect(tally.report()).toEqual({ read: 6, written: 3, unchanged: 2, refused: 1, errors: [error(7), error(8)] });
  });

  it('lists errors up to its limit and says at the end how many more there were', () => {
    const tally = new ImportTally(2);
    for (const line of [1, 2, 3, 4]) tally.refuse(error(line));
    const { refused, errors } = tally.report();
    expect([refused, tally.unlisted]).toEqual([4, 2]);
    expect(errors).toEqual([
      error(1),
      error(2),
      { file: 'f', line: 4, reason: '2 more were counted without being listed; the last is: reason 4' },
    ]);
  });

  it('lists what was refused before what is only noted', () => {
    const tally = new ImportTally();
    tally.note(error(1));
    tally.refuse(error(2));
    expect(tally.report().errors.map(({ line }) => line)).toEqual([2, 1]);
  });

  it('merges counts and errors, those unlisted included', () => {
    const one = new ImportTally(3);
    one.write();
    one.refuse(error(1));
    const two = new ImportTally(3);
    two.keep();
    for (const line of [2, 3, 4, 5]) two.refuse(error(line));
    one.merge(two);
    expect(one.unlisted).toBe(2);
    const report = one.report();
    expect(report).toMatchObject({ read: 7, written: 1, unchanged: 1, refused: 5 });
    expect(report.errors.map(({ line }) => line)).toEqual([1, 2, 3, 5]);
  });

  it('hands out reports that later counting does not change', () => {
    const tally = new ImportTally();
    const before = tally.report();
    tally.refuse(error(1));
    expect(before).toEqual({ read: 0, written: 0, unchanged: 0, refused: 0, errors: [] });
  });
});
