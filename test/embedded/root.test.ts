// A start by root, whose servers run as a user that may not enter what only root may enter.

import { rm, stat } from 'node:fs/promises';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { openEmbedded } from '../../src/embedded/index.js';
import { newHome } from './homes.js';

const isRoot = process.getuid?.() === 0;

it.skipIf(!isRoot)(
  'keeps data outside a home that only root may enter (runs as root only)',
  { timeout: 120_000 },
  async () => {
    const home = await newHome('/root', 0o700);
    const first = await openEmbedded(home, { redis: true });
    expect(first.where.data).toMatch(/^\/var\/lib\/espelho\/[0-9a-f]{16}$/);
    const sql = postgres(first.databaseUrl, { max: 1 });
    await sql`create table kept as select 1 as n`;
    await sql.end();
    await first.close();

    const second = await openEmbedded(home, { redis: false });
    expect(second.where.data).toBe(first.where.data);
    const again = postgres(second.databaseUrl, { max: 1 });
    expect(await again`select n from kept`).toEqual([{ n: 1 }]);
    await again.end();
    await second.close();
    await rm(first.where.data, { recursive: true });
  },
);

it.skipIf(!isRoot)(
  'keeps data inside a home that its servers can reach (runs as root only)',
  { timeout: 120_000 },
  async () => {
    const home = await newHome();
    const servers = await openEmbedded(home, { redis: false });
    expect(servers.where).toMatchObject({ data: home, user: expect.stringMatching(/postgres|nobody/) });
    expect((await stat(`${home}/postgres`)).mode & 0o777).toBe(0o700);
    await servers.close();
  },
);
