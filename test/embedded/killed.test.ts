// Whatever is killed, no server outlives its owner, and the next start works.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { openEmbedded } from '../../src/embedded/index.js';
import { acceptsConnections } from '../../src/embedded/port.js';
import { commandOf } from '../../src/embedded/process.js';
import { eventually, newHome, spawnOwner, startOwner } from './homes.js';

const postmasterOf = async (data: string) =>
  Number((await readFile(join(data, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);

async function killed(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

it('leaves no server process when its owner is killed with -9, and starts again', { timeout: 120_000 }, async () => {
  const home = await newHome();
  const owner = await startOwner(home);
  const postmaster = await postmasterOf(owner.data);
  expect(commandOf(postmaster)).toContain(owner.data);
  await killed(owner.process);

  const next = await openEmbedded(home, { redis: true }); // waits for the former server
  expect(commandOf(postmaster) || 'gone').toBe('gone');
  for (const url of [owner.databaseUrl, owner.redisUrl ?? 'redis-server is missing']) {
    const refused = () =>
      acceptsConnections(Number(new URL(url).port)).then(
        () => false,
        () => true,
      );
    await eventually(refused, 30_000);
  }
  await next.close();
});

it('recovers committed data after owner and server are killed with -9 together', { timeout: 120_000 }, async () => {
  const home = await newHome();
  const owner = await startOwner(home);
  const sql = postgres(owner.databaseUrl, { max: 1, onclose: () => undefined });
  await sql`create table kept as select 1 as n`;
  process.kill(await postmasterOf(owner.data), 'SIGKILL');
  await killed(owner.process);
  await sql.end({ timeout: 0 });

  const next = await openEmbedded(home, { redis: false });
  const again = postgres(next.databaseUrl, { max: 1 });
  expect(await again`select n from kept`).toEqual([{ n: 1 }]);
  await again.end();
  await next.close();
});

it('begins anew when it was killed while it made the database', { timeout: 120_000 }, async () => {
  const home = await newHome();
  const abandoned = spawnOwner(home);
  await eventually(() => existsSync(join(home, 'postgres.new')), 60_000);
  await killed(abandoned);

  const next = await openEmbedded(home, { redis: false });
  expect(await readdir(home)).not.toContain('postgres.new');
  await next.close();
});
