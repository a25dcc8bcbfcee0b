// Espelho against its peers, in one interleaved run on servers of its own; docs/performance.md tells what is measured.
//   npm run bench -- [--seconds 1.5] [--repeats 5] [--peers p0,mercurius,espelho] [--workloads warm,mixed] [--json FILE]
//                    [--svg FILE] [--publish] [--scopes 100000] [--growth [--growth-to 1000000]]
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { openServers } from '../support/servers.js';
import { chartOf } from './chart.js';
import { checkAnswers } from './check.js';
import { entrants, type Place, type Running, start } from './contestants.js';
import { divideCores } from './cores.js';
import { type Result, resultOf } from './figures.js';
import { measureGrowth } from './growth.js';
import { importTaxonomy, taxonomyFile } from './large-menu.js';
import { type Generator, measure, openGenerator } from './measure.js';
import { chosen } from './options.js';
import { publish, type Report } from './publish.js';
import { poolsOf } from './requests.js';
import { seed } from './seed.js';
import { sizeOf } from './size.js';
import { tableOf } from './table.js';
import { WORKLOADS, workloads } from './workloads.js';

const options = chosen(process.argv.slice(2));
const startedMs = performance.now();
const said = (sentence: string) =>
  console.log(`[${((performance.now() - startedMs) / 1_000).toFixed(0)} s] ${sentence}`);

const cores = divideCores();
const size = sizeOf(options.scopes);
const stops: (() => Promise<unknown>)[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().then(() => process.exit(130)));
}

try {
  said(`${cpus()[0]?.model.trim()}, ${cores.count} cores, Node ${process.version}; ${cores.told}`);
  const servers = await openServers();
  stops.unshift(servers.close);
  if (options.growth) await measureGrowth({ servers, cores, peers: options.folder, said, options });
  else await compare(servers);
} finally {
  await stopAll();
}

async function compare(servers: Place['servers']): Promise<void> {
  const taxonomy = options.workloads.includes('large') ? taxonomyFile(options.root) : undefined;
  const databases = await seed(servers, size, (url) => importTaxonomy(taxonomy, servers, url));
  said(`seeded: ${size.scopes} accounts of one holder each, and what is asked for again and again`);
  const place = { servers, databases, cores, peers: options.folder };
  const running = await startAll(place);
  const pools = poolsOf(size);
  const chosenWorkloads = WORKLOADS.filter((name) => options.workloads.includes(name));
  const generator: Generator = openGenerator(size);
  stops.unshift(generator.close);
  const results: Record<string, readonly Result[]> = {};
  for (const workload of chosenWorkloads) {
    const { title, prepared } = workloads[workload];
    if (workload === 'large' && !taxonomy) {
      said('large: skipped, there is no file of 10,595 menu items; set ESPELHO_DATA_DIR to the folder that has them');
      continue;
    }
    const taking = running.filter(({ entrant }) => options.named || !entrant.notIn.includes(workload));
    const checked = await checkAnswers(taking, [...prepared(pools), ...(workload === 'mixed' ? [pools.cold] : [])]);
    const entries = await measure(workload, taking, options, generator);
    const base = entries.find(({ name }) => name === 'p0')?.rounds;
    results[workload] = entries.map((entry) => resultOf(entry, base));
    said(`${title}; ${checked} answers compared\n${tableOf(results[workload])}\n`);
  }
  write(results);
}

async function startAll(place: Place): Promise<readonly Running[]> {
  const running: Running[] = [];
  const wanted = entrants.filter(({ name }) => options.peers.includes(name));
  for (const [lane, entrant] of wanted.entries()) {
    const one = await start(entrant, lane, place);
    stops.unshift(one.stop);
    if (one.use().processes < entrant.workers) {
      said(`${entrant.name}: skipped, this gateway does not know WORKERS`);
      await one.stop();
    } else running.push(one);
  }
  said(`serving: ${running.map(({ entrant }) => entrant.name).join(', ')}`);
  return running;
}

function write(results: Record<string, readonly Result[]>): void {
  const report: Report = {
    about: {
      at: new Date().toISOString(),
      node: process.version,
      processor: cpus()[0]?.model.trim(),
      cores: cores.count,
      pinned: cores.told,
      seconds: options.seconds,
      repeats: options.repeats,
      scopes: size.scopes,
      tookSeconds: Math.round((performance.now() - startedMs) / 1_000),
    },
    titles: titles(),
    results,
  };
  save(options.json, `${JSON.stringify(report, null, 2)}\n`);
  save(options.svg, chartOf(results));
  if (options.publish) publish(options.root, report, chartOf(results));
  said('done');
}

function titles() {
  return Object.fromEntries(WORKLOADS.map((name) => [name, workloads[name].title]));
}

function save(file: string | undefined, text: string): void {
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  said(`written: ${file}`);
}

async function stopAll(): Promise<void> {
  for (let stop = stops.shift(); stop; stop = stops.shift()) await stop();
}
