// What freshness costs: Espelho against cache-aside by hand, in the same run, on the same servers, behind the same edge.
//   npm run bench:freshness -- [--only=warm,mixed,writes,engine] [--rounds=20] [--slice=300] [--profile=FOLDER]
import { parseArgs } from 'node:util';
import { engineReads } from './engine-suite.js';
import { mixedReads, warmReads, writes } from './http-suites.js';
import { tell, tellHits } from './report.js';
import { type SideName, type SideProcess, startSide } from './side-process.js';
import { openStores, type Stores } from './stores.js';

const SIDES: readonly SideName[] = ['espelho', 'plain', 'tuned'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'warm,mixed,writes,engine' },
    rounds: { type: 'string', default: '20' },
    slice: { type: 'string', default: '300' },
    profile: { type: 'string' },
  },
});
const suites = new Set(values.only.split(','));
const timed = (askers: number) => ({
  askers,
  rounds: Number(values.rounds),
  warmUpRounds: 4,
  slice: { ms: Number(values.slice) },
});

const stores = await openStores();
try {
  if (suites.has('engine')) {
    const askers = [1, 16, 64];
    const slices = await engineReads(stores, askers.map(timed));
    askers.forEach((count, at) => {
      tell(`Engine alone, warm reads, ${count} at a time`, slices[at] ?? new Map());
    });
  }
  if (['warm', 'mixed', 'writes'].some((suite) => suites.has(suite))) await throughHttp(stores);
} finally {
  await stores.close();
}

async function throughHttp(stores: Stores): Promise<void> {
  const sides: SideProcess[] = [];
  try {
    for (const side of SIDES) {
      const databaseUrl = side === 'espelho' ? stores.espelhoUrl : stores.plainUrl;
      sides.push(await startSide({ side, databaseUrl, redisUrl: stores.redisUrl }, values.profile));
    }
    if (suites.has('warm')) {
      for (const askers of [1, 32]) tell(`Warm reads, ${askers} at a time`, await warmReads(sides, timed(askers)));
    }
    if (suites.has('mixed')) {
      await warmReads(sides, { ...timed(16), rounds: 0, warmUpRounds: 3 });
      const { slices, hits } = await mixedReads(sides, { ...timed(16), slice: { requests: 1_000 }, warmUpRounds: 1 });
      tell('94 % warm reads, 5 % cold, 1 % writes, 16 at a time', slices);
      tellHits(hits);
    }
    if (suites.has('writes')) {
      for (const askers of [1, 8]) tell(`Writes, ${askers} at a time`, await writes(sides, timed(askers)));
    }
  } finally {
    for (const side of sides) await side.close();
  }
}
