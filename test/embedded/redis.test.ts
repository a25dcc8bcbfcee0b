// Which Redis a development start takes, and what it says when it takes none.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findRedis } from '../../src/embedded/redis.js';
import { newHome } from './homes.js';

async function folderWith(programs: Record<string, string>): Promise<string> {
  const folder = await newHome();
  await mkdir(folder);
  for (const [name, says] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  }
  return folder;
}

it('says so when there is neither Redis nor Valkey', async () => {
  const reason = 'there is no redis-server or valkey-server on the PATH';
  expect(findRedis(await folderWith({}), undefined)).toEqual({ kind: 'none', reason });
});

it('leaves an old Redis alone and says why', async () => {
  const folder = await folderWith({ 'redis-server': 'Redis server v=6.0.16 sha=00000000:0 bits=64' });
  const reason = 'redis-server 6.0.16 is older than 7.0';
  expect(findRedis(folder, undefined)).toEqual({ kind: 'none', reason });
});

it('takes Valkey beside an old Redis', async () => {
  const folder = await folderWith({
    'redis-server': 'Redis server v=6.0.16 sha=00000000:0 bits=64',
    'valkey-server': 'Valkey server v=8.1.1 sha=00000000:0 bits=64',
  });
  const program = 'valkey-server 8.1.1';
  expect(findRedis(folder, undefined)).toEqual({ kind: 'found', path: join(folder, 'valkey-server'), program });
});
