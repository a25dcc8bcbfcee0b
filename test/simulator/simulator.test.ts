// A part of the simulator's work that is small enough for every run: schedules that keep the pledge, and the gate that shows
// what they would find. `npm run simulate` goes on from there.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SEED = process.env.SIMULATE_SEED ?? '20261123';
/** Of each test; a slow machine gets through fewer schedules. */
const SECONDS = process.env.SIMULATE_SECONDS ?? '10';
const WITHIN_MS = 900_000;

/** Runs the command; resolves to what it printed and how it ended. */
async function simulate(...options: string[]): Promise<{ printed: string; code: number | null }> {
  const child = spawn(process.execPath, ['scripts/simulate.mjs', '--workers', '2', ...options], { cwd: root });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { printed: printed.slice(-20_000), code };
}

it('schedules of faults over models of the servers keep the pledge', { timeout: WITHIN_MS }, async () => {
  const { printed, code } = await simulate(
    ...['--tier', 'model', '--schedules', '20000', '--seconds', SECONDS, '--seed', SEED],
  );
  expect(code, printed).toBe(0);
});

it('schedules in which what was read is answered again keep the pledge', { timeout: WITHIN_MS }, async () => {
  const { printed, code } = await simulate(
    ...['--tier', 'model', '--answers', '--schedules', '20000', '--seconds', SECONDS, '--seed', SEED],
  );
  expect(code, printed).toBe(0);
});

it('schedules of faults over a real Redis and a real Postgres keep the pledge', { timeout: WITHIN_MS }, async () => {
  const { printed, code } = await simulate(
    ...['--tier', 'real', '--schedules', '2000', '--seconds', SECONDS, '--seed', SEED],
  );
  expect(code, printed).toBe(0);
});

it('the same seed gives the same interleaving', { timeout: WITHIN_MS }, async () => {
  const lines = async () => {
    const { printed } = await simulate('--schedules', '1', '--seed', SEED, '--trace');
    return printed.split('\n').filter((line) => /^ *\d+ /.test(line));
  };
  const first = await lines();
  expect(first.length).toBeGreaterThan(20);
  expect(await lines()).toEqual(first);
});

it('each safety clause, switched off, gives a violation', { timeout: WITHIN_MS }, async () => {
  const { printed, code } = await simulate('--gate', '--tier', 'model', '--schedules', '20000');
  expect(code, printed).toBe(0);
});
