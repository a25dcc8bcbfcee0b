// Workers as processes: who dies is followed by another after a pause, who dies again and again ends the whole, and none is
// left when it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Deaths } from '../../src/workers/patience.js';
import { eventually } from '../support/eventually.js';
import { familyOf, isRunning } from './machine.js';

const PROGRAM = fileURLToPath(new URL('pool-program.ts', import.meta.url));

/** Against hanging only: each process is compiled as it starts. */
const STARTS_MS = 150_000;
vi.setConfig({ testTimeout: 200_000 });

function start(how: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, how], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const events: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)));
  const exited = once(child, 'exit');
  return { child, events, exited };
}

it('starts one before the others, and each knows its place and may ask about all', async () => {
  const { child, events, exited } = start('well');
  await eventually(() => events.length === 3, STARTS_MS);
  expect(events).toEqual([
    { serving: 1, report: 'one of 2' },
    { serving: 2, report: 'one of 2' },
    {
      state: { wanted: 2, serving: 2, deaths: 0 },
      replies: [
        { place: 1, value: 1 },
        { place: 2, value: 2 },
      ],
    },
  ]);
  child.kill('SIGTERM');
  await exited;
  expect(events.at(-1)).toEqual({ ended: true });
});

it('starts who dies anew after pauses that double, and gives up a fault that repeats', async () => {
  const { events, exited } = start('dying');
  await exited;
  const deaths = events.filter(({ died }) => died !== undefined);
  expect(deaths).toEqual([20, 40, 80].map((pauseMs) => ({ died: 2, by: 'exit code 5', pauseMs })));
  expect(events.find(({ code }) => code !== undefined)).toEqual({
    code: 'WORKER_FAILED',
    message: 'Worker 2 ended 4 times shortly after its start, the last time by exit code 5; what it said is above.',
  });
  expect(events.at(-1)).toMatchObject({ state: { serving: 0 } });
});

it('starts anew who dies while others are still on their way', async () => {
  const { child, events, exited } = start('early');
  await eventually(() => events.filter(({ serving }) => serving === 1).length === 2, STARTS_MS);
  await eventually(() => events.some(({ state }) => state !== undefined), STARTS_MS);
  expect(events.filter(({ died }) => died !== undefined)).toEqual([
    { died: 1, by: 'exit code 5', pauseMs: 20 },
    { died: 1, by: 'exit code 6', pauseMs: 40 },
  ]);
  child.kill('SIGTERM');
  await exited;
});

it('starts nothing where one cannot start at all', async () => {
  const { events, exited } = start('stillborn');
  await exited;
  expect(events.at(-1)).toEqual({ refused: 'A worker could not start (exit code 3); what it said is above.' });
});

it('ends by force who does not listen', async () => {
  const { child, events, exited } = start('deaf');
  await eventually(() => events.length === 3, STARTS_MS);
  const family = familyOf(child.pid ?? 0);
  child.kill('SIGTERM');
  await exited;
  await eventually(() => !family.some(isRunning));
});

it('leaves no worker when the first process is killed with -9', async () => {
  const { child, events } = start('deaf');
  await eventually(() => events.length === 3, STARTS_MS);
  const family = familyOf(child.pid ?? 0);
  child.kill('SIGKILL');
  await eventually(() => !family.some(isRunning));
});

it('forgets early deaths once a worker has served for long enough', () => {
  const deaths = new Deaths({ firstPauseMs: 10, longestPauseMs: 40, settledMs: 1_000, most: 3 });
  expect([undefined, 999, 1_000, 5, undefined].map((servedMs) => deaths.after(servedMs))).toEqual([
    { pauseMs: 10 },
    { pauseMs: 20 },
    { pauseMs: 10 },
    { pauseMs: 10 },
    { pauseMs: 20 },
  ]);
  expect(deaths.after(5)).toBe('give up');
});
