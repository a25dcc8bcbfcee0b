// A program whose workers do as they are told: the first process tells on its standard output what it sees.
import { setTimeout } from 'node:timers/promises';
import { Pool, takeUp } from '../../src/workers/index.js';

type OfWorker = { readonly place: number };
type OfWhole = { readonly wanted: number; readonly deaths: number };

const patience = { firstPauseMs: 20, longestPauseMs: 80, settledMs: 60_000, most: 4 };
const [, , role = '', how = ''] = process.argv;
const tell = (event: object) => console.log(JSON.stringify(event));

if (role === 'worker') await work();
else await watch();

async function watch(): Promise<void> {
  const pool: Pool<string, OfWhole, OfWorker> = new Pool({
    workers: 2,
    args: ['worker', role],
    patience,
    taskOf: (place) => ({ place }),
    onServing: (place, report) => tell({ serving: place, report }),
    answering: { wanted: async () => pool.state.wanted, deaths: async () => pool.state.deaths },
    onDeath: (place, by, pauseMs) => tell({ died: place, by, pauseMs }),
    onFault: ({ code, message }) => {
      tell({ code, message });
      void pool.stop(10_000).then(() => tell({ state: pool.state }));
    },
  });
  process.on('SIGTERM', () => void pool.stop(1_000).then(() => tell({ ended: true })));
  try {
    await pool.open();
    tell({ state: pool.state, replies: await pool.ask('place', 30_000) });
  } catch (error) {
    tell({ refused: error instanceof Error ? error.message : error });
    await pool.stop(10_000);
  }
}

async function work(): Promise<void> {
  const stop = () => {
    if (how !== 'deaf') process.exit(0);
  };
  let place = 0;
  const taken = await takeUp<{ place: number }, string, OfWorker, OfWhole>({ place: async () => place }, stop);
  if (!taken) throw new Error('Nobody has started this worker.');
  place = taken.task.place;
  if (how === 'stillborn' && place === 2) process.exit(3);
  // The first dies as it serves, and the next in its place before it does; the second waits for both.
  const deaths = async () => (await taken.ask('deaths', 30_000)) ?? 0;
  if (how === 'early' && place === 1 && (await deaths()) === 1) process.exit(6);
  if (how === 'early' && place === 2) while ((await deaths()) < 2) await setTimeout(20);
  taken.serving(`one of ${await taken.ask('wanted', 30_000)}`);
  const isDoomed = how === 'dying' ? place === 2 : how === 'early' && (await deaths()) === 0;
  if (!isDoomed) return;
  await setTimeout(50);
  process.exit(5);
}
