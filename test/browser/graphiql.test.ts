import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium, type Watched, watchedPage } from './chromium.js';
import { type StartedGateway, startGateway } from './gateway.js';

let gateway: StartedGateway;
let browser: Browser;
let watched: Watched;

beforeAll(async () => {
  browser = await launchChromium();
  gateway = await startGateway();
  watched = await watchedPage(browser);
  await watched.page.goto(`${gateway.url}/`);
  await watched.page.locator('.graphiql-execute-button').waitFor();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

it('opens with a tab for each example', async () => {
  const tabs = await watched.page.getByRole('tab').allTextContents();
  for (const name of ['PublishedMenu', 'SeveralMenus', 'Viewer', 'LatestStatement', 'RenameMenuItem', 'CacheStatus']) {
    expect(tabs.join()).toContain(name);
  }
});

it('has the header preset that asks where an answer came from', async () => {
  const headers = watched.page.locator('.graphiql-editor-tool');
  await expect.poll(() => headers.textContent()).toContain('x-cache-trace');
});

it('reads the schema, and shows the answer of a query with its way through the cache', async () => {
  const { page } = watched;
  await page.locator('.graphiql-execute-button').click();
  const shown = () => page.locator('.result-window').textContent();
  await expect.poll(shown, { timeout: 15_000 }).toMatch(/"data".*"menu"/s);
  const answer = page.waitForResponse((response) => response.request().postData()?.includes('PublishedMenu') ?? false);
  await page.locator('.graphiql-execute-button').click();
  const { data, extensions } = await (await answer).json();
  expect(data.menu.items.length).toBeGreaterThan(0);
  expect(extensions.cache).toContainEqual(expect.objectContaining({ view: 'menu', outcome: expect.any(String) }));
  const screenshot = join(tmpdir(), 'espelho-graphiql.png');
  await page.screenshot({ path: screenshot });
  console.log(`GraphiQL with an answer: ${screenshot}`);
});

it('asked no other host for anything, and had nothing to complain about', async () => {
  expect(watched.requests.length).toBeGreaterThan(5);
  expect(watched.requests.filter(isForeign)).toEqual([]);
  expect(watched.complaints).toEqual([]);
});

it('keeps no header, and so no token, when the page is loaded again', async () => {
  const { page } = watched;
  const kept = await page.evaluate('JSON.stringify({ ...localStorage })');
  expect(kept).toContain('PublishedMenu');
  expect(kept).not.toContain('x-cache-trace');
  await page.reload();
  await expect.poll(() => page.locator('.graphiql-editor-tool').textContent()).toContain('x-cache-trace');
  expect(watched.requests.filter(isForeign)).toEqual([]);
});

const isForeign = (url: string) => new URL(url).origin !== gateway.url;
