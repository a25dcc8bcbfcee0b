// Puts the figures of a run where people read them: docs/performance.md between its two marks, with the JSON and the picture.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Figure } from '../freshness/figures.js';
import type { Result } from './figures.js';
import { ranged, shown } from './table.js';

const BEGIN = '<!-- figures: written by npm run bench -- --publish -->';
const END = '<!-- end of figures -->';

const PICTURE = '![Requests per second as a ratio to node:http with one Redis GET, by workload](performance.svg)';

export interface Report {
  readonly about: Readonly<Record<string, string | number | undefined>>;
  readonly titles: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, readonly Result[]>>;
}

/** The text of the page with these figures in place of those that it had. @throws {Error} when it lacks the marks. */
export function withFigures(page: string, report: Report): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md lacks the marks ${BEGIN} and ${END}.`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${markdownOf(report)}\n${page.slice(to)}`;
}

export function publish(root: string, report: Report, chart: string): void {
  const page = `${root}/docs/performance.md`;
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), report));
  writeFileSync(`${root}/docs/performance.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${root}/docs/performance.svg`, chart);
}

function markdownOf({ about, titles, results }: Report): string {
  const { at, node, processor, cores, seconds, repeats, scopes } = about;
  const facts = `Measured ${String(at).slice(0, 10)} on ${cores} cores (${processor}), Node ${node}: ${repeats} slices of ${seconds} s each, ${scopes} scopes.`;
  const tables = Object.entries(results).map(([workload, rows]) => `**${titles[workload]}**\n\n${tableOf(rows)}\n`);
  return `${PICTURE}\n\n${facts} [performance.json](performance.json) has everything.\n\n${tables.join('\n')}`;
}

const HEAD = ['', 'ratio to P0', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs a request', 'RSS MiB', 'stale', 'failed'];

function tableOf(rows: readonly Result[]): string {
  const cells = rows.map(({ title, ratio, perSecond, p50Ms, p99Ms, cpuUs, rssMiB, stale, failed }) => [
    title,
    ranged(ratio),
    perSecond.median.toFixed(0),
    ...[p50Ms, p99Ms, cpuUs].map((figure: Figure) => shown(figure.median)),
    rssMiB.toFixed(0),
    String(stale),
    String(failed),
  ]);
  const lines = [HEAD, HEAD.map((_, column) => (column === 0 ? '---' : '---:')), ...cells];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
