// One process at a time runs the servers of a home.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HomeInUse, openEmbedded } from '../../src/embedded/index.js';
import { holderOf, lockHome } from '../../src/embedded/lock.js';
import { newHome } from './homes.js';

async function homeHeldBy(mark: { pid: number; birth: string }): Promise<string> {
  const home = await newHome();
  await mkdir(join(home, 'lock'), { recursive: true });
  await writeFile(join(home, 'lock', '5'), JSON.stringify(mark));
  return home;
}

async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

it('refuses a home that is held, and says by whom and what to do', async () => {
  const home = await newHome();
  await mkdir(home);
  const lock = await lockHome(home);
  const second = openEmbedded(home, { redis: false });
  await expect(second).rejects.toThrow(HomeInUse);
  await expect(second).rejects.toMatchObject({ code: 'HOME_IN_USE', pid: process.pid });
  await expect(second).rejects.toThrow(/stop it, or set ESPELHO_HOME/);
  await lock.release();
  expect(await holderOf(home)).toBeUndefined();
  await (await lockHome(home)).release();
});

it('takes over from a dead process', async () => {
  const home = await homeHeldBy({ pid: await deadPid(), birth: 'long ago' });
  expect(await holderOf(home)).toBeUndefined();
  const lock = await lockHome(home);
  expect(await holderOf(home)).toMatchObject({ pid: process.pid });
  await lock.release();
});

it('takes over from a dead process whose pid another one has now', async () => {
  const home = await homeHeldBy({ pid: process.ppid, birth: 'before it was reused' });
  await (await lockHome(home)).release();
});

it('lets one of many who race for a dead hold have it, round after round', async () => {
  const home = await homeHeldBy({ pid: await deadPid(), birth: 'long ago' });
  for (let round = 0; round < 20; round += 1) {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockHome(home)));
    const locks = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.release();
  }
  expect(await readdir(join(home, 'lock'))).toHaveLength(1);
});
