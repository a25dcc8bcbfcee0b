// Compiles src into dist and copies the files that tsc does not know: Lua scripts and SQL statements.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
for (const folder of ['cache/lua']) {
  cpSync(`${root}src/${folder}`, `${root}dist/${folder}`, { recursive: true });
}
chmodSync(`${root}dist/cli/index.js`, 0o755);
