// The ratios as a picture: one panel for each workload, one bar for each contestant, its range as a thin line.
import type { Result } from './figures.js';
import { shown } from './table.js';

const WIDTH = 900;
const LABEL = 270;
const BAR = 18;
const GAP = 6;
const HEAD = 34;
const VALUE = 60;

/** An SVG that stands by itself, light and dark. */
export function chartOf(results: Readonly<Record<string, readonly Result[]>>): string {
  const panels = Object.entries(results).filter(([, rows]) => rows.some(({ ratio }) => !Number.isNaN(ratio.median)));
  let top = 40;
  const drawn = panels.map(([workload, rows]) => {
    const panel = panelOf(workload, rows, top);
    top += HEAD + rows.length * (BAR + GAP) + 14;
    return panel;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="13">
<style>
  text { fill: #1f2328 } .axis { stroke: #8c959f } .peer { fill: #9aa7b4 } .ours { fill: #2f6f9f } .range { stroke: #1f2328 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .peer { fill: #5b6673 } .ours { fill: #58a6ff } .range { stroke: #e6edf3 } }
</style>
<text x="12" y="22" font-size="15">Requests per second, as a ratio to node:http with one Redis GET (P0)</text>
${drawn.join('\n')}
</svg>
`;
}

function panelOf(workload: string, rows: readonly Result[], top: number): string {
  const most = Math.max(1, ...rows.map(({ ratio }) => ratio.max).filter((value) => !Number.isNaN(value)));
  const scale = (WIDTH - LABEL - VALUE) / most;
  const x = (ratio: number) => (LABEL + ratio * scale).toFixed(1);
  const end = top + HEAD + rows.length * (BAR + GAP);
  const bars = rows.map(({ title, name, ratio }, row) => {
    const y = top + HEAD + row * (BAR + GAP);
    const label = `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escaped(title)}</text>`;
    if (Number.isNaN(ratio.median)) return label;
    const middle = y + BAR / 2;
    return [
      label,
      `<rect class="${name.startsWith('espelho') ? 'ours' : 'peer'}" x="${LABEL}" y="${y}" width="${(ratio.median * scale).toFixed(1)}" height="${BAR}"/>`,
      `<line class="range" x1="${x(ratio.min)}" x2="${x(ratio.max)}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${Number(x(ratio.max)) + 6}" y="${y + 13}">${shown(ratio.median)}</text>`,
    ].join('');
  });
  return [
    `<text x="12" y="${top + 20}" font-weight="bold">${escaped(workload)}</text>`,
    `<line class="axis" stroke-dasharray="3 3" x1="${x(1)}" x2="${x(1)}" y1="${top + HEAD - 6}" y2="${end}"/>`,
    ...bars,
  ].join('\n');
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
