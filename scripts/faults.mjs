// Builds the gateway and lets the fault harness loose on it. With --dist, on one that was built before.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { main } from '../test/faults/main.ts';

process.exit(await main(process.argv.slice(2), { root: fileURLToPath(new URL('..', import.meta.url)), build }));

function build() {
  const script = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
