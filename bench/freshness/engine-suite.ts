// The engine alone, without HTTP and GraphQL, against the same read by hand, in this process.
import { systemClock } from '../../src/cache/index.js';
import { startGateway } from '../../src/gateway.js';
import { menuView } from '../../src/resolvers/index.js';
import type { Slices } from './http-suites.js';
import { HOT, nameOf, seeded, zipf } from './keys.js';
import { type Asked, type Course, takeTurns } from './load.js';
import { type PlainCache, plainCache } from './plain-cache.js';
import { plainDatabase } from './plain-database.js';
import type { Stores } from './stores.js';

/** Runs each course; reads are timed to the decoded value. */
export async function engineReads(stores: Stores, courses: readonly Course[]): Promise<Slices[]> {
  const gateway = await startGateway({
    databaseUrl: stores.espelhoUrl,
    redisUrl: stores.redisUrl,
    pepper: 'a pepper for measurements, longer than 32 characters',
    masterKey: '0123456789abcdef'.repeat(4),
    partitions: undefined,
    ttlMs: new Map(),
    logger: { info: () => {}, error: (facts, sentence) => console.error(sentence, facts) },
  });
  const { cache } = gateway.services;
  const database = plainDatabase(stores.plainUrl, 'as they come');
  const plain = plainCache(stores.redisUrl, database.load, 'each');
  const tuned = plainCache(stores.redisUrl, database.load, 'together');
  const readBy = (by: PlainCache) => async (key: string) => {
    const json = await by.read(key);
    return json === null ? undefined : menuView.decode(json);
  };
  const sides = [
    sideOf('espelho', (key) => cache.request().read(menuView, key)),
    sideOf('plain', readBy(plain)),
    sideOf('tuned', readBy(tuned)),
  ];
  try {
    for (const { read } of sides) {
      for (let menu = 0; menu < HOT; menu += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, at) => read(`${nameOf(menu + at)}:en`)));
      }
    }
    await systemClock.sleep(100); // fills go on after their readers have the answer
    const slices: Slices[] = [];
    for (const course of courses) slices.push(await takeTurns(sides, course));
    return slices;
  } finally {
    await gateway.close();
    plain.close();
    tuned.close();
    await database.close();
  }
}

function sideOf(name: string, read: (key: string) => Promise<unknown>): Asked & { read: typeof read } {
  const hot = zipf(seeded(1));
  return {
    name,
    read,
    ask: async () => {
      const startedMs = performance.now();
      await read(`${hot()}:en`);
      return performance.now() - startedMs;
    },
    cpuUs: async () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  };
}
