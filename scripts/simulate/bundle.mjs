// Bundles the simulator, with edits of its sources where a mutant asks for them. An edit whose text is not found exactly
// once is an error: the clause that it switches off has moved.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Below node_modules, so that the bundle finds its packages.
const output = join(root, 'node_modules/.simulator', String(process.pid));
let bundles = 0;
process.once('exit', () => rmSync(output, { recursive: true, force: true }));

/** Bundles `test/simulator/main.ts`; resolves to the program's file. */
export async function bundle(edits) {
  const folder = join(output, String(++bundles));
  // As deep as the sources that look for these files beside and above them.
  const program = join(folder, 'src/all/main.mjs');
  const copies = { 'src/cache/lua': join(folder, 'src/all/lua'), drizzle: join(folder, 'drizzle') };
  for (const [from, to] of Object.entries(copies)) {
    cpSync(join(root, from), to, { recursive: true });
    for (const { file, find, replace } of edits.filter(({ file }) => file.startsWith(`${from}/`))) {
      const copy = join(to, relative(from, file));
      writeFileSync(copy, edited(file, readFileSync(copy, 'utf8'), find, replace));
    }
  }
  await bundled('test/simulator/main.ts', program, edits);
  return program;
}

/** The mutants, as test/mutants lists them. */
export async function mutants() {
  const program = join(output, 'mutants.mjs');
  await bundled('test/mutants/index.ts', program, []);
  return (await import(pathToFileURL(program).href)).mutants;
}

/** What starts the servers of the real tier. */
export async function realServers() {
  const program = join(output, 'servers/src/all/servers.mjs');
  await bundled('test/simulator/real-servers.ts', program, []);
  return (await import(pathToFileURL(program).href)).startServers;
}

async function bundled(entry, outfile, edits) {
  const left = new Set(edits.filter(({ file }) => file.endsWith('.ts')));
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
    plugins: [{ name: 'edits', setup }],
  });
  function setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => load(path, left));
    // Inside the engine only, for speed and for the same trace from the same seed.
    builder.onResolve({ filter: /^node:crypto$/ }, ({ importer }) =>
      importer.includes('/src/cache/') ? { path: join(root, 'test/simulator/tokens.ts') } : undefined,
    );
  }
  const [missed] = left;
  if (missed) throw new Error(`${missed.file} is not part of the bundle.`);
}

function load(path, left) {
  const file = relative(root, path);
  let contents = readFileSync(path, 'utf8');
  for (const edit of left) {
    if (edit.file !== file) continue;
    contents = edited(file, contents, edit.find, edit.replace);
    left.delete(edit);
  }
  return { contents, loader: 'ts' };
}

/** The text with one edit. */
export function edited(file, text, find, replace) {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times, not once:\n${find}`);
  return text.replace(find, () => replace);
}
