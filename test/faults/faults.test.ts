// A short run of the fault harness, as its command line does it: several gateways as processes of their own, behind links
// that fail. `npm run faults` does the same for as long as one likes, on a cluster and with Sentinel too.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

it('two gateways keep the pledge for half a minute of faults, and all that was started ends', async () => {
  const { code, output } = await faults('--minutes', '0.5', '--seed', '1');
  const told = output.split('\n').filter((line) => line.startsWith('{"summary"'));
  const { summary } = JSON.parse(told[0] ?? '{}');
  expect(summary, output.slice(-4_000)).toMatchObject({ violationCount: 0, failures: [] });
  expect(code).toBe(0);
  // What a machine does that is busy with many other things; an idle one does fifty times as much.
  expect(summary.reads).toBeGreaterThan(2_000);
  expect(summary.writes.visible).toBeGreaterThan(20);
  expect(summary.faults).toBeGreaterThan(3);
  expect(spawnSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).stdout).not.toContain(summary.logs);
}, 180_000);

it('refuses what it does not know, and says what there is', async () => {
  expect(await faults('--redis', 'floppy')).toMatchObject({ code: 2 });
  const { code, output } = await faults('--only', 'earthquake');
  expect(code).toBe(2);
  expect(output).toMatch(/no fault earthquake; there are: .*kill-gateway/);
}, 120_000);

async function faults(...args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/faults.mjs', ...args]);
  const exited = once(child, 'exit');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, output: out + err };
}
