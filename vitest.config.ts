import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LONG } from './vitest.long.config.js';

export default defineConfig({
  resolve: {
    // The entry that Node takes; the bundlers' one would be a second copy of the library beside it.
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url)) },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', ...LONG],
    globalSetup: ['test/support/servers.ts'],
    // Against hanging only; what is promised within a time says so itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // A shared machine can starve a server for seconds; the log of CI names every test that needed another run.
    retry: process.env.CI ? 2 : 0,
    // What postgres.js throws out of an immediate when a test takes its connection away; src/db/errors.ts has the story.
    onUnhandledError: ({ message = '', stack = '' }) =>
      !(message.includes("'write'") && stack.includes('postgres/src/connection.js')),
  },
});
