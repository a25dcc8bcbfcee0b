// Compiles the gateway and the measurements as they would run in production, then measures:
//   node scripts/bench.mjs compare …     against other servers, which it installs first; see bench/compare/main.ts
//   node scripts/bench.mjs freshness …   against a cache by hand; see bench/freshness/main.ts
//   node scripts/bench.mjs overload …    at several times what it can serve; see bench/overload/main.ts
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}node_modules/.cache/espelho-bench`;
const [suite, ...args] = process.argv.slice(2);

function run(program, ...args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs what is compared with, unless it is there as its lockfile has it. */
function installPeers() {
  const folder = `${root}bench/peers`;
  const stamp = `${folder}/node_modules/.installed`;
  const lock = readFileSync(`${folder}/package-lock.json`, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing the peers in bench/peers.');
  run('npm', 'ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  writeFileSync(stamp, lock);
}

function build() {
  mkdirSync(out, { recursive: true });
  writeFileSync(`${out}/package.json`, '{ "type": "module" }\n');
  run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json');
  cpSync(`${root}src/cache/lua`, `${out}/src/cache/lua`, { recursive: true });
  cpSync(`${root}drizzle`, `${out}/drizzle`, { recursive: true });
}

if (!['compare', 'freshness', 'overload'].includes(suite)) {
  console.error('Say what to measure: compare, freshness or overload.');
  process.exit(2);
}
if (suite === 'compare') installPeers();
build();
const options = suite === 'compare' ? ['--root', root, ...args] : args;
const measuring = spawn(process.execPath, [`${out}/bench/${suite}/main.js`, ...options], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => measuring.kill(signal)); // it stops its servers first
measuring.on('exit', (code) => process.exit(code ?? 1));
