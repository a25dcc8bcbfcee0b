// A gateway in a process of its own, made to be counted: nothing in it is left to chance, and its young heap is so large
// that no collection hides what requests allocate. It prints its address, and answers marks over its channel.
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { readConfig } from '../../src/config.js';
import { openServing } from '../../src/main/serving.js';
import { issueDemoTokens } from '../../src/resolvers/index.js';
import { makeLogger } from '../../src/server/index.js';

Math.random = () => 0.5; // no hit is compared with SQL, no life is cut short

export interface Mark {
  /** Live and dead alike. */
  readonly heapBytes: number;
  /** Collections so far. */
  readonly collections: number;
}

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

const config = readConfig(process.env, []);
const { server, gateway } = await openServing(
  {
    config,
    site: {
      databaseUrl: config.databaseUrl ?? '',
      redisUrl: config.redisUrl,
      pepper: config.tokenPepper ?? '',
      masterKey: config.masterKey ?? '',
      controlSecret: 'a control secret for tests',
    },
    http: { host: '127.0.0.1', port: 0, portIsExplicit: true },
    logger: makeLogger({ level: 'silent' }),
    name: 'guard',
    demo: false,
  },
  [],
);

process.on('disconnect', () => process.exit()); // whoever started it is gone
process.on('message', (wanted) => {
  if (wanted === 'collect') global.gc?.();
  // What the observer has to tell comes in a later turn.
  setTimeout(() => {
    process.send?.({ heapBytes: getHeapStatistics().used_heap_size, collections } satisfies Mark);
  }, 20);
});
process.send?.({ url: server.url, tokens: await tokensOf() });

/** A token for each role, once the cache can confirm one. */
async function tokensOf(): Promise<Record<string, string>> {
  for (;;) {
    const tokens = await issueDemoTokens(gateway.services).catch(() => undefined);
    if (tokens) return Object.fromEntries(tokens);
    await sleep(100);
  }
}
