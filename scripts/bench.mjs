// Compiles the gateway and the measurements as they would run in production, then measures; see bench/freshness/main.ts.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}node_modules/.cache/espelho-bench`;
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

mkdirSync(out, { recursive: true });
writeFileSync(`${out}/package.json`, '{ "type": "module" }\n');
const built = run('node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.json');
if (built !== 0) process.exit(built);
cpSync(`${root}src/cache/lua`, `${out}/src/cache/lua`, { recursive: true });
cpSync(`${root}drizzle`, `${out}/drizzle`, { recursive: true });
process.exit(run(`${out}/bench/freshness/main.js`, ...process.argv.slice(2)));
