// A development start with workers: the first process runs the private servers once, and Ctrl-C leaves nothing of it.
import { expect, it } from 'vitest';
import { newHome } from '../embedded/homes.js';
import { eventually } from '../support/eventually.js';
import { familyOf, isRunning, openLine, startMachine } from './machine.js';

it('serves from private servers, and leaves no process after Ctrl-C', { timeout: 400_000 }, async () => {
  const machine = await startMachine({ WORKERS: '2', ESPELHO_HOME: await newHome() });
  try {
    expect(machine.said()).toMatch(/stores: Postgres \S+ \(embedded\) and Redis \S+ \(private\)/);
    const line = openLine(machine.url);
    expect((await line.ask('{ menu(key: "main", locale: "en") { title } }')).data.menu.title).toEqual(
      expect.any(String),
    );
    line.close();
    const first = machine.process.pid ?? 0;
    const family = familyOf(first);
    expect(machine.workers()).toHaveLength(2);
    process.kill(-first, 'SIGINT');
    await eventually(() => !family.some(isRunning), 60_000);
    await eventually(() => machine.process.exitCode !== null);
    expect(machine.process.exitCode, machine.said()).toBe(0);
  } finally {
    await machine.close();
  }
});
