// Makes what is published, into release/: the package, and the list of all that it is made of (CycloneDX). Nothing is made
// of a tree that is not as committed, of a version whose changes are not dated, or of a lockfile that does not fit; nothing
// is in the package that does not belong there. Publishes nothing.
//   node scripts/release.mjs            checks and makes both
//   node scripts/release.mjs --check    without asking for a clean tree and a dated version, and keeps nothing
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const checking = process.argv.includes('--check');
const { name, version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const BELONGS =
  /^(LICENSE|README\.md|package\.json|deploy\/\w+\/\w+\.(sql|acl)|drizzle\/(\w+\.sql|meta\/\w+\.json)|dist\/[\w/-]+\.(js|lua))$/;
const MUST_BE_THERE = [
  'LICENSE',
  'README.md',
  'deploy/postgres/grants.sql',
  'deploy/redis/users.acl',
  'drizzle/meta/_journal.json',
  'dist/cli/index.js',
  'dist/cache/lua/read.lua',
];
const MOST_BYTES = 5_000_000;

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** What a program says on its standard output; its failure is ours. */
function run(program, ...args) {
  const { status, stdout, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error || status !== 0) fail(`${program} ${args.join(' ')} failed; what it said stands above.\n${stdout ?? ''}`);
  return stdout;
}

function step(title, act) {
  process.stdout.write(`${title}: `);
  console.log(act() ?? 'as it should be');
}

/** The paths in the package that npm would make now. */
function packed(...args) {
  const [{ files, unpackedSize, integrity, filename }] = JSON.parse(run('npm', 'pack', '--json', ...args));
  return { paths: files.map(({ path }) => path), unpackedSize, integrity, filename };
}

if (!checking) {
  step('tree', () => {
    const changed = run('git', 'status', '--porcelain').trim();
    if (changed !== '') fail(`not as committed; commit or remove:\n${changed}`);
    return run('git', 'rev-parse', 'HEAD').trim();
  });
  step('changelog', () => {
    const dated = new RegExp(`^## ${version.replaceAll('.', '\\.')}, \\d{4}-\\d{2}-\\d{2}$`, 'm');
    if (!dated.test(readFileSync(`${root}CHANGELOG.md`, 'utf8'))) {
      fail(`CHANGELOG.md has no line "## ${version}, <year-month-day>"; date the version, or set another one.`);
    }
  });
}
step('lockfile', () => void run('npm', 'ci', '--dry-run', '--ignore-scripts', '--offline', '--no-audit'));
step('what it is made of', () => run(process.execPath, 'scripts/supply-chain.mjs').split('\n')[0]);
step('build', () => {
  rmSync(`${root}dist`, { recursive: true, force: true });
  return run(process.execPath, 'scripts/build.mjs').trim() || undefined;
});
step('package', () => {
  const { paths, unpackedSize } = packed('--dry-run', '--ignore-scripts');
  const foreign = paths.filter((path) => !BELONGS.test(path));
  if (foreign.length > 0) fail(`holds what does not belong there: ${foreign.join(', ')}`);
  const missing = MUST_BE_THERE.filter((path) => !paths.includes(path));
  if (missing.length > 0) fail(`lacks ${missing.join(', ')}`);
  if (unpackedSize > MOST_BYTES) fail(`is ${unpackedSize} bytes long, more than ${MOST_BYTES}; see what came in.`);
  return `${paths.length} files, ${unpackedSize} bytes`;
});

const sbom = JSON.parse(run('npm', 'sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'));
sbom.metadata.component.name = name; // npm takes the folder's
step('software bill of materials', () => {
  const { components } = sbom;
  const undigested = components.filter(({ hashes }) => !hashes?.some(({ alg }) => alg === 'SHA-512'));
  if (components.length === 0) fail('names no component.');
  if (undigested.length > 0) fail(`has no SHA-512 of ${undigested.map(({ name }) => name).join(', ')}`);
  return `${components.length} components`;
});

if (!checking) {
  const into = `${root}release`;
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into);
  const { filename, integrity } = packed('--pack-destination', into, '--ignore-scripts');
  writeFileSync(`${into}/${name}-${version}.cdx.json`, `${JSON.stringify(sbom, null, 2)}\n`);
  console.log(`release/${filename} ${integrity}\nPublish it with: npm publish release/${filename}`);
}
