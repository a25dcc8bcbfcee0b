// A headless Chromium that reaches no host but ours; what a page asks for and complains about is kept.

import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

export interface Watched {
  readonly page: Page;
  /** Addresses that the page asked for, other than those held in it. */
  readonly requests: string[];
  /** What stood in the console as an error, and what was thrown. */
  readonly complaints: string[];
}

/** Starts the browser. @throws with what to install, where there is none. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no ${executablePath}: run "apt-get install chromium", or set CHROMIUM_PATH to a Chromium.`,
    );
  }
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet] });
}

/** A fresh page of `browser`, watched from its first request. */
export async function watchedPage(browser: Browser): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
  });
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { page, requests, complaints };
}
