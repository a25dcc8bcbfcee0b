// Builds the gateway and measures how it recovers from faults. With --dist, one that was built before.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { main } from '../bench/recovery/main.ts';

process.exit(await main(process.argv.slice(2), { root: fileURLToPath(new URL('..', import.meta.url)), build }));

function build() {
  const script = fileURLToPath(new URL('build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
