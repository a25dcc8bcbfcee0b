// Runs the test that a mutant names, over sources with its edits: a copy of the project, since its code has no switches.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { edited } from './bundle.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = ['src', 'test', 'drizzle', 'package.json', 'tsconfig.json', 'vitest.config.ts', 'vitest.long.config.ts'];
const WITHIN_MS = 180_000;

export function namedTests() {
  let folder;
  const place = () => {
    if (folder) return folder;
    folder = mkdtempSync(join(tmpdir(), 'espelho-gate-'));
    for (const part of PARTS) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  };

  /** Whether the test passes as it is, and fails with the edits. */
  async function finds({ edits, test }) {
    const how = `test: ${test.title} (${test.file})`;
    const before = await run(place(), test);
    if (before.failed > 0 || before.passed === 0)
      return { found: false, how: `SURVIVES (its test does not pass: ${how})` };
    const originals = new Map();
    for (const { file, find, replace } of edits) {
      const path = join(place(), file);
      const text = readFileSync(path, 'utf8');
      if (!originals.has(path)) originals.set(path, text);
      writeFileSync(path, edited(file, text, find, replace));
    }
    const after = await run(place(), test);
    for (const [path, text] of originals) writeFileSync(path, text);
    return after.failed > 0 ? { found: true, how } : { found: false, how: `SURVIVES ${how}` };
  }

  const close = () => folder && rmSync(folder, { recursive: true, force: true });
  return { finds, close };
}

async function run(cwd, { file, title }) {
  const pattern = `${title.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')}$`;
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', file, '-t', pattern, '--reporter=json', '--outputFile=outcome.json'];
  const outcome = join(cwd, 'outcome.json');
  rmSync(outcome, { force: true });
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', timeout: WITHIN_MS });
  await new Promise((resolve) => child.once('close', resolve));
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(outcome, 'utf8'));
  return { passed: numPassedTests, failed: numFailedTests };
}
