// Whatever is sent over HTTP, the answer is the client's fault or an answer: never ours. Long runs: npm run fuzz.
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import type { Claim } from './claim.js';
import { edgeClaims } from './edge-claims.js';
import { openSite, type Site } from './site.js';

vi.setConfig({ testTimeout: 300_000 });

let database: TestDatabase;
let site: Site;
let claims: readonly Claim[];
beforeAll(async () => {
  database = await createDatabase();
  site = await openSite({ databaseUrl: database.url, redisUrl: inject('redisUrl') });
  claims = edgeClaims(site);
});
afterAll(async () => {
  await site?.close();
  await database?.close();
});

it.each([
  [0, 'whatever the headers, the method and the body', 200],
  [1, 'whatever stands in the parameters of a request', 200],
  [2, 'whatever the document, its fields and arguments, for nobody, a reader and an administrator', 300],
  [3, 'whatever a client of flags or of introspection sends', 100],
  [4, 'whatever bytes come in place of requests, however they are framed', 4],
])('%s: %s', async (at, title, numRuns) => {
  const one = claims[at];
  expect(one?.title).toBe(title);
  await one?.hold({ numRuns });
});
