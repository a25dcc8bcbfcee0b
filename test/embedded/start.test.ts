// A development start: private servers that find their data again, each home its own.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { attachEmbedded, loadOrCreateSecret, openEmbedded } from '../../src/embedded/index.js';
import { acceptsConnections } from '../../src/embedded/port.js';
import { newHome, startOwner } from './homes.js';

const portOf = (url: string) => Number(new URL(url).port);

it('finds its data again at the second start, and leaves no server after either', { timeout: 120_000 }, async () => {
  const home = await newHome();
  const first = await openEmbedded(home, { redis: false });
  const before = postgres(first.databaseUrl, { max: 1 });
  await before`create table kept as select 'coração' as word`;
  await before.end();
  await first.close();
  await expect(acceptsConnections(portOf(first.databaseUrl))).rejects.toThrow('ECONNREFUSED');

  const second = await openEmbedded(home, { redis: false });
  const after = postgres(second.databaseUrl, { max: 1 });
  expect(await after`select word from kept`).toEqual([{ word: 'coração' }]);
  await after.end();
  await second.close();
  await expect(acceptsConnections(portOf(second.databaseUrl))).rejects.toThrow('ECONNREFUSED');
});

it('makes UTF-8 databases where LANG is not set, and stops in order on SIGTERM', { timeout: 120_000 }, async () => {
  const { LANG, LC_ALL, LC_CTYPE, ...env } = process.env;
  const owner = await startOwner(await newHome(), env);
  const sql = postgres(owner.databaseUrl, { max: 1 });
  expect(
    await sql`select current_database() as name, current_setting('server_encoding') as encoding,
    current_setting('fsync') as fsync, upper('ção') as upper`,
  ).toEqual([{ name: 'espelho', encoding: 'UTF8', fsync: 'on', upper: 'ÇÃO' }]);
  await sql.end();
  const ended = new Promise((resolve) => owner.process.once('exit', resolve));
  owner.process.kill('SIGTERM');
  expect(await ended).toBe(0);
  await expect(acceptsConnections(portOf(owner.databaseUrl))).rejects.toThrow('ECONNREFUSED');
});

it('gives two homes servers of their own at the same time, each with a private Redis', {
  timeout: 120_000,
}, async () => {
  const homes = [await newHome(), await newHome()];
  const both = await Promise.all(homes.map((home) => openEmbedded(home, { redis: true })));
  const urls = both.flatMap(({ databaseUrl, redis }) => [
    databaseUrl,
    redis.kind === 'running' ? redis.url : redis.reason,
  ]);
  expect(new Set(urls.map(portOf)).size).toBe(4);

  const redis = new Redis(urls[1] ?? '');
  const settings = await redis.config('GET', 'maxmemory*');
  expect(settings).toEqual(
    expect.arrayContaining(['maxmemory-policy', 'volatile-lfu', 'maxmemory', `${256 * 1024 ** 2}`]),
  );
  redis.disconnect();
  await Promise.all(both.map(({ close }) => close()));
  await Promise.all(urls.map((url) => expect(acceptsConnections(portOf(url))).rejects.toThrow('ECONNREFUSED')));
});

it('tells a command beside it which servers run, to its owner alone, until it closes', {
  timeout: 120_000,
}, async () => {
  const home = await newHome();
  expect(await attachEmbedded(home)).toBeUndefined();
  const servers = await openEmbedded(home, { redis: false });
  const run = { pid: process.pid, databaseUrl: servers.databaseUrl, redisUrl: undefined };
  expect(await attachEmbedded(home)).toEqual({ ...run, gatewayUrl: undefined, control: undefined });
  await servers.announce('http://127.0.0.1:4000', 'control secret');
  const announced = { gatewayUrl: 'http://127.0.0.1:4000', control: 'control secret' };
  expect(await attachEmbedded(home)).toEqual({ ...run, ...announced });
  expect((await stat(join(home, 'run.json'))).mode & 0o777).toBe(0o600);
  await servers.close();
  expect(await attachEmbedded(home)).toBeUndefined();
});

it('gives every process that asks the same secret, readable by its owner alone', async () => {
  const home = await newHome();
  const asked = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateSecret(home, 'token-pepper')));
  expect(new Set(asked).size).toBe(1);
  expect(asked[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(await loadOrCreateSecret(home, 'master-key')).not.toBe(asked[0]);
  expect((await stat(join(home, 'token-pepper'))).mode & 0o777).toBe(0o600);
});
