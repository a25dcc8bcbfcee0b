import { defineConfig } from 'vitest/config';

/** What takes a minute or more and loads the machine: the simulator with its gate, and the fault harness. */
export const LONG = ['test/simulator/simulator.test.ts', 'test/faults/faults.test.ts'];

export default defineConfig({
  test: { include: LONG, globalSetup: ['test/support/servers.ts'], fileParallelism: false, maxWorkers: 1 },
});
