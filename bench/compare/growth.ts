// Whether a request costs more when the cache holds more: the same thousand menus, and any of all menus, while their number
// grows from a thousand to a million. P0 asks for the thousand only: it shows what the machine does besides.
import { writeFileSync } from 'node:fs';
import type postgres from 'postgres';
import { migrate } from '../../src/db/index.js';
import { copyWithoutChangeLog, databaseUrlOf, type Servers, withDatabase } from '../support/servers.js';
import { entrants, type Running, start } from './contestants.js';
import type { Cores } from './cores.js';
import { type Result, resultOf } from './figures.js';
import { espelho } from './large-menu.js';
import { measure, openGenerator } from './measure.js';
import type { Options } from './options.js';
import { sizeOf } from './size.js';
import { tableOf } from './table.js';
import type { GrowthName } from './workloads.js';

interface Growth {
  readonly servers: Servers;
  readonly cores: Cores;
  readonly peers: string;
  readonly said: (sentence: string) => void;
  readonly options: Options;
}

/** What was measured with so many entries in the cache. */
interface Step {
  readonly entries: number;
  readonly thousand: readonly Result[];
  readonly all: readonly Result[];
}

const FIRST = 1_000;
const CHUNK = 20_000;

/** Prints a table for each number of entries, and what the last costs against the first. */
export async function measureGrowth({ servers, cores, peers, said, options }: Growth): Promise<void> {
  const url = databaseUrlOf(servers.databaseUrl, 'bench_espelho');
  await withDatabase(servers.databaseUrl, (psql) => psql`CREATE DATABASE bench_espelho`);
  await migrate(url);
  await withDatabase(url, (psql) => fill(psql, 0, FIRST));
  const plainUrl = await copyWithoutChangeLog(servers.databaseUrl, 'bench_espelho', 'bench_plain');
  const place = { servers, cores, peers, databases: { espelhoUrl: url, plainUrl } };
  const running: Running[] = [];
  const steps: Step[] = [];
  try {
    for (const entrant of entrants.filter(({ name }) => ['p0', 'espelho', 'espelho-executed'].includes(name)))
      running.push(await start(entrant, running.length, place));
    let filled = FIRST;
    for (let entries = FIRST; entries <= options.growthTo; entries *= 10) {
      await withDatabase(url, async (psql) => {
        for (; filled < entries; filled += CHUNK) await fill(psql, filled, Math.min(entries, filled + CHUNK));
        filled = entries;
        await psql`SELECT cache_barrier('60 seconds')`;
      });
      espelho(['warm', 'menu', '--json'], servers, url);
      said(`${entries} entries are cached`);
      const generator = openGenerator({ ...sizeOf(0), menus: entries });
      const take = async (workload: GrowthName, taking: readonly Running[]) => {
        const measured = await measure(workload, taking, options, generator);
        const base = measured.find(({ name }) => name === 'p0')?.rounds;
        return measured.map((entry) => resultOf(entry, base));
      };
      const thousand = await take('thousand', running);
      const all = await take(
        'all',
        running.filter(({ entrant }) => entrant.name !== 'p0'),
      );
      await generator.close();
      steps.push({ entries, thousand, all });
      said(`the same thousand of ${entries}\n${tableOf(thousand)}\nany of ${entries}\n${tableOf(all)}\n`);
    }
    tell(steps, said);
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ growth: steps }, null, 2)}\n`);
  } finally {
    for (const one of running) await one.stop();
  }
}

async function fill(psql: postgres.Sql, from: number, to: number): Promise<void> {
  await psql`INSERT INTO menus (key, locale, title)
    SELECT 'menu-' || menu, 'en', 'Menu ' || menu FROM generate_series(${from}::int, ${to - 1}::int) AS menu`;
  await psql`INSERT INTO menu_items (menu_id, key, parent_key, position, label, url)
    SELECT id, 'i' || item, NULL, item, 'Label of item ' || item, '/' || item
    FROM generate_series(${from}::int, ${to - 1}::int) AS menu
      JOIN menus ON menus.key = 'menu-' || menu AND menus.locale = 'en', generate_series(0, 4) AS item`;
}

function tell(steps: readonly Step[], said: Growth['said']): void {
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last) return;
  for (const kind of ['thousand', 'all'] as const) {
    for (const { name, title, cpuUs } of last[kind]) {
      const before = first[kind].find((result) => result.name === name)?.cpuUs.median ?? Number.NaN;
      const change = (100 * (cpuUs.median / before - 1)).toFixed(1);
      said(`${title}, ${kind}: ${before.toFixed(1)} → ${cpuUs.median.toFixed(1)} µs a request (${change} %)`);
    }
  }
}
