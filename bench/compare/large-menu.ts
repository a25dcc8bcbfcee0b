// A menu of real data, 10,595 items deep and wide, where the machine has the file.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Servers } from '../support/servers.js';
import { espelhoCommand, espelhoEnvironment } from './contestants.js';
import { LARGE_MENU } from './requests.js';

/** The file, or undefined where there is none. `root` is the repository's folder. */
export function taxonomyFile(root: string): string | undefined {
  const folder = resolve(root, process.env.ESPELHO_DATA_DIR ?? '../shared/data');
  const file = `${folder}/menus/shopify-taxonomy/categories.en.txt.gz`;
  return existsSync(file) ? file : undefined;
}

/** Imports it with the gateway's own command. */
export async function importTaxonomy(file: string | undefined, servers: Servers, databaseUrl: string): Promise<void> {
  if (file === undefined) return;
  espelho(['import', 'menus', file, '--key', LARGE_MENU, '--locale', 'en', '--json'], servers, databaseUrl);
}

/** Runs one command of the gateway, quietly. */
export function espelho(args: readonly string[], servers: Servers, databaseUrl: string): string {
  const env = { PATH: process.env.PATH, ...espelhoEnvironment(servers, databaseUrl) };
  return execFileSync(process.execPath, espelhoCommand(args), {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
