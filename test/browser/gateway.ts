// The gateway as a user starts it, with files of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface StartedGateway {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts the built gateway in a folder of its own, on any free port; run `npm run build` before. */
export async function startGateway(): Promise<StartedGateway> {
  const home = await mkdtemp(join(tmpdir(), 'espelho-browser-'));
  const gateway = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url)), 'serve'],
    {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ESPELHO_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const stop = async () => {
    if (gateway.exitCode === null && gateway.signalCode === null) {
      gateway.kill('SIGTERM');
      await once(gateway, 'exit');
    }
    await rm(home, { recursive: true, force: true });
  };
  try {
    return { url: await announcedUrl(gateway), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function announcedUrl(gateway: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const [, url] = said.match(/ready at (http:\/\/\S+)\/graphql/) ?? [];
      if (url) resolve(url);
    };
    gateway.stdout?.on('data', listen);
    gateway.stderr?.on('data', listen);
    gateway.once('exit', (code) => reject(new Error(`The gateway ended with ${code} before it was ready:\n${said}`)));
  });
}
