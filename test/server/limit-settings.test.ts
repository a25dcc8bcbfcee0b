// The numbers that hold where nothing is set, and where each is documented.

import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { edgeSettings } from '../../src/config/edge.js';
import { defaultLimits } from '../../src/server/limits.js';

it('the limits of one request, of one caller and of one process', () => {
  expect(defaultLimits).toEqual({
    headers: 16 * 1_024,
    accept: 256,
    authorization: 1_024,
    body: 100_000,
    writerBody: 1_000_000,
    tokens: 1_000,
    depth: 12,
    aliases: 15,
    directives: 50,
    rootFields: 20,
    cost: 5_000,
    string: 65_536,
    deadlineMs: 5_000,
    headersMs: 10_000,
    requestMs: 30_000,
    subscriptions: 100,
    subscriptionsPerCaller: 5,
    inFlight: 500,
  });
});

it.each(edgeSettings)('docs/ tells of %s', async (name) => {
  const folder = new URL('../../docs/', import.meta.url);
  const pages = (await readdir(folder)).filter((page) => page.endsWith('.md'));
  const docs = (await Promise.all(pages.map((page) => readFile(new URL(page, folder), 'utf8')))).join('\n');
  const endings = [...docs.matchAll(/`…(_[A-Z_]+)`/g)].map(([, ending = '']) => ending);
  expect(docs.includes(name) || endings.some((ending) => name.endsWith(ending))).toBe(true);
});
