// What an import did, for people and for scripts.

import type { ImportReport } from '../resolvers/import/import-report.js';

const SHOWN_ERRORS = 20;

/** The report on one line, with exactly the names that scripts rely on. */
export function jsonReport({ read, written, unchanged, refused, errors }: ImportReport): string {
  return `${JSON.stringify({ read, written, unchanged, refused, errors })}\n`;
}

/** The report as a table, and the first of what is to be told about single records. */
export function readableReport(report: ImportReport, dryRun: boolean): string {
  const counts = (['read', 'written', 'unchanged', 'refused'] as const).map((name) => [
    name,
    report[name].toLocaleString('en'),
  ]);
  const width = Math.max(...counts.map(([, count = '']) => count.length));
  const shown = report.errors.slice(0, SHOWN_ERRORS);
  const hidden = report.errors.length - shown.length;
  const lines = [
    ...(dryRun ? ['Dry run: nothing was written; this is what would be.'] : []),
    ...counts.map(([name = '', count = '']) => `${name.padEnd(10)} ${count.padStart(width)}`),
    ...(shown.length > 0 ? [''] : []),
    ...shown.map(({ file, line, reason }) => `${file}${line > 0 ? `:${line}` : ''}  ${reason}`),
    ...(hidden > 0 ? [`… and ${hidden.toLocaleString('en')} more; --json lists them.`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
