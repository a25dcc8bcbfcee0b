#!/usr/bin/env node
// The command `espelho`, bound to this process.

import { run } from './program.js';

// A reader that has seen enough, such as head, closes the pipe; that is no failure.
process.stdout.on('error', () => process.exit());

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: process.stderr,
});
